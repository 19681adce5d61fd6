/*
 * A connection waits for an answer, in a list by due time, or rests on its person's stack: idle ones in a list by time
 * too, slow ones without one. What becomes of a request is settled once. Memory of a closed connection goes only when
 * all events that were fetched with it have been looked at.
 */
#include "base/error.h"
#include "drill/asking.h"
#include "drill/client_state.h"
#include "drill/page.h"
#include "http/response.h"

enum {
	/*
	 * A page that old is no last good copy yet: nginx keeps it for a second, in whole seconds, and goes on showing
	 * it while it fetches another.
	 */
	FRESH_MS = 3000,
	CALM_FRESH_MS = 10000,    /* where hardly anybody asks for the page, so that another is seldom fetched */
	SLOW_BODY_BYTES = 100000, /* announced */
};

/* Nearly always the last one: a request that is sent once more keeps its time. */
static void due_add(struct due_list *list, struct connection *c, int64_t due_ns)
{
	struct connection *before = list->last;
	while (before != NULL && before->due_ns > due_ns)
		before = before->earlier;
	c->due_ns = due_ns;
	c->earlier = before;
	c->later = before != NULL ? before->later : list->first;
	if (c->later != NULL)
		c->later->earlier = c;
	else
		list->last = c;
	if (before != NULL)
		before->later = c;
	else
		list->first = c;
}

static void due_remove(struct due_list *list, struct connection *c)
{
	if (c->earlier != NULL)
		c->earlier->later = c->later;
	else
		list->first = c->later;
	if (c->later != NULL)
		c->later->earlier = c->earlier;
	else
		list->last = c->earlier;
}

static bool is_at_rest(const struct connection *c)
{
	return c->state == CONNECTION_IDLE || c->state == CONNECTION_SLOW;
}

static void rest(struct client *client, struct connection *c, enum connection_state state, int64_t now_ns)
{
	due_remove(&client->waiting, c);
	c->state = state;
	c->under = client->idle[c->who];
	client->idle[c->who] = c;
	if (state == CONNECTION_IDLE)
		due_add(&client->resting, c, now_ns + client->idle_ns);
}

static void unrest(struct client *client, struct connection *c)
{
	struct connection **place = &client->idle[c->who];
	while (*place != c)
		place = &(*place)->under;
	*place = c->under;
	if (c->state == CONNECTION_IDLE)
		due_remove(&client->resting, c);
}

/* Events that were fetched together may speak of it yet: its memory goes when they have been looked at. */
void client_drop(struct client *client, struct connection *c, bool abruptly)
{
	if (is_at_rest(c))
		unrest(client, c);
	else
		due_remove(&client->waiting, c);
	client->open--;
	connection_close(c, abruptly);
	c->under = client->closed;
	client->closed = c;
}

static const struct sending *sending_of(const struct client *client, size_t index)
{
	return &client->job->schedule->items[index];
}

static struct attack_second *second_of(const struct client *client, int64_t now_ns)
{
	return &client->job->record->attack[record_second(now_ns - client->start_ns)];
}

/* What becomes of an item of the schedule is written down once. */
static void settle(struct client *client, size_t index, enum outcome outcome, unsigned status, int64_t now_ns)
{
	int64_t since_ns = now_ns - client->start_ns;
	if (client->job->attackers) {
		second_of(client, now_ns)->outcomes[outcome]++;
		return;
	}
	struct asked *asked = &client->job->record->asked[index];
	asked->outcome = (uint8_t)outcome;
	asked->status = (uint16_t)status;
	asked->took_us = (int32_t)((since_ns - asked->meant_ns) / 1000);
}

static void make_asking(const struct client *client, const struct sending *sending, struct asking *ret_asking)
{
	static const struct tells none;
	const struct client_job *job = client->job;
	const struct person *person = &job->persons[sending->who];
	if (job->attackers)
		asking_make(job->plan->shape->target, person, sending->word, job->tells, ret_asking);
	else
		asking_make(person->being == BEING_CRAWLER ? TARGET_RANDOM_QUERY : TARGET_RESIDENT, person,
			    sending->word, &none, ret_asking);
	if (job->attackers && job->plan->shape->manner == MANNER_SLOW_BODY)
		ret_asking->announced = SLOW_BODY_BYTES;
}

static enum manner manner_of(const struct client *client)
{
	return client->job->attackers ? client->job->plan->shape->manner : MANNER_WHOLE;
}

/* The next piece of a request that never ends. */
static size_t make_piece(enum manner manner, const struct sending *sending, uint8_t wire[ASKING_WIRE_BYTES])
{
	static const char line[] = "X-Part: 0000\r\n", text[] = "&part=0000";
	size_t len = manner == MANNER_SLOW_HEAD ? sizeof(line) - 1 : sizeof(text) - 1;
	memcpy(wire, manner == MANNER_SLOW_HEAD ? line : text, len);
	size_t digits = manner == MANNER_SLOW_HEAD ? len - 6 : len - 4;
	for (size_t i = 0; i < 4; i++)
		wire[digits + i] = (uint8_t)('0' + (sending->word >> 4 * i) % 10);
	return len;
}

static size_t make_wire(const struct client *client, const struct connection *c, uint8_t wire[ASKING_WIRE_BYTES])
{
	const struct sending *sending = sending_of(client, c->sending);
	enum manner manner = manner_of(client);
	struct asking asking;
	if (manner != MANNER_WHOLE && c->used)
		return make_piece(manner, sending, wire);
	make_asking(client, sending, &asking);
	size_t len = asking_wire(&asking, &client->job->persons[c->who], client->job->tells, wire);
	if (manner == MANNER_SLOW_HEAD)
		len = slice_find(slice_make(wire, len), SLICE("\r\n\r\n"), 0) + 2;
	return len;
}

/* -EAGAIN, -EIO, or 0 when all is written. */
static int write_on(struct client *client, struct connection *c)
{
	uint8_t wire[ASKING_WIRE_BYTES];
	size_t len = make_wire(client, c, wire);
	while (c->written < len) {
		ssize_t n = connection_write(c, wire + c->written, len - c->written);
		if (n < 0)
			return (int)n;
		c->written += (size_t)n;
	}
	return 0;
}

static enum outcome outcome_of(const struct client *client, const struct connection *c, const struct response *response)
{
	const struct client_job *job = client->job;
	const struct sending *sending = sending_of(client, c->sending);
	struct asking asking;
	int64_t made_ns;
	if (response->status < 200 || response->status > 299)
		return OUTCOME_REFUSED;
	if (job->attackers)
		return OUTCOME_ANSWERED;
	make_asking(client, sending, &asking);
	uint64_t asked = page_asked(job->key, asking.method, asking.host, asking.uri, asking.body);
	if (page_read(job->key, asked, response->body, &made_ns) != 0)
		return OUTCOME_FOREIGN;
	int64_t meant_ns = client->start_ns + sending->at_ns;
	int64_t fresh_ms = job->plan->shape->kind == KIND_CALM ? CALM_FRESH_MS : FRESH_MS;
	if (made_ns >= meant_ns || (asking.kept && made_ns >= meant_ns - fresh_ms * 1000000))
		return OUTCOME_ANSWERED;
	return asking.kept ? OUTCOME_COPY : OUTCOME_FOREIGN;
}

static bool says_close(const struct response *response)
{
	const struct field *field = field_list_find(&response->headers, SLICE("Connection"));
	return field != NULL && slice_equal_nocase(field->value, SLICE("close"));
}

/* Whether the answer is whole; then it is settled, and the connection is at rest or gone. */
static bool look(struct client *client, struct connection *c, int64_t now_ns)
{
	struct slice bytes = buffer_slice(&c->in);
	struct response response;
	if (slice_find(bytes, SLICE("\r\n\r\n"), 0) == bytes.len)
		return false;
	arena_reset(&client->arena);
	int r = response_parse(bytes, &client->arena, &response);
	if (r == 0 && response.truncated)
		return false;
	settle(client, c->sending, r == 0 ? outcome_of(client, c, &response) : OUTCOME_FOREIGN,
	       r == 0 ? response.status : 0, now_ns);
	if (r != 0 || says_close(&response) || manner_of(client) != MANNER_WHOLE) {
		client_drop(client, c, false);
		return true;
	}
	c->used = true;
	buffer_free(&c->in);
	c->in = buffer_make(NULL);
	rest(client, c, CONNECTION_IDLE, now_ns);
	return true;
}

static void begin(struct client *client, size_t index, struct connection *idle, bool again, int64_t due_ns,
		  int64_t now_ns);

/* A connection that the gate closed while it was idle says nothing about the request: a browser asks once more. */
static void lose(struct client *client, struct connection *c, int64_t now_ns)
{
	size_t index = c->sending;
	int64_t due_ns = c->due_ns;
	bool stale = c->used && !c->again && c->in.len == 0 && manner_of(client) == MANNER_WHOLE;
	bool resting = c->state == CONNECTION_IDLE;
	client_drop(client, c, client->job->attackers);
	if (resting)
		return;
	if (stale)
		begin(client, index, NULL, true, due_ns, now_ns);
	else
		settle(client, index, OUTCOME_CLOSED, 0, now_ns);
}

/* 0 to go on waiting, or the connection is at rest or gone. */
static void read_on(struct client *client, struct connection *c, int64_t now_ns)
{
	while (true) {
		ssize_t n = connection_read(c);
		if (n == -EAGAIN)
			return;
		if (n <= 0) {
			lose(client, c, now_ns);
			return;
		}
		if (c->state != CONNECTION_IDLE && look(client, c, now_ns))
			return;
	}
}

void client_step(struct client *client, struct connection *c, bool ended, int64_t now_ns)
{
	int r = 0;
	bool wrote = false;
	if (c->state == CONNECTION_GONE)
		return;
	/* Nobody begins to shake hands with who has hung up. */
	if (c->state == CONNECTION_GREETING && !c->greets && ended)
		r = -EIO;
	if (r == 0 && c->state == CONNECTION_GREETING && (r = connection_greet(&client->dial, c)) == 0)
		c->state = CONNECTION_WRITING;
	if (r == 0 && c->state == CONNECTION_WRITING && (r = write_on(client, c)) == 0) {
		if (client->job->attackers)
			second_of(client, now_ns)->written++;
		c->state = CONNECTION_READING;
		wrote = true;
		if (manner_of(client) != MANNER_WHOLE) {
			c->used = true;
			rest(client, c, CONNECTION_SLOW, now_ns);
		}
	}
	/* Nothing can have come yet in answer to what was only just written: it will be heard of. */
	if (r == 0 && (ended || !wrote))
		read_on(client, c, now_ns);
	else if (r != 0 && r != -EAGAIN)
		lose(client, c, now_ns);
}

/* Where no more connections can be had, those who have waited longest make room. */
static bool make_room(struct client *client, int64_t now_ns)
{
	if (client->open < client->limit)
		return true;
	if (client->resting.first != NULL)
		client_drop(client, client->resting.first, true);
	else if (client->waiting.first != NULL)
		client_give_up(client, client->waiting.first, now_ns);
	return client->open < client->limit;
}

static struct connection *open_new(struct client *client, size_t index, int64_t now_ns)
{
	const struct sending *sending = sending_of(client, index);
	struct connection *c;
	struct asking asking;
	make_asking(client, sending, &asking);
	if (!make_room(client, now_ns) ||
	    connection_open(&client->dial, &client->job->persons[sending->who], sending->who, asking.host, &c) != 0)
		return NULL;
	client->open++;
	if (client->job->attackers)
		second_of(client, now_ns)->tried++;
	if (client->use->first_ns == 0)
		client->use->first_ns = (uint64_t)(now_ns - client->start_ns);
	return c;
}

static void begin(struct client *client, size_t index, struct connection *idle, bool again, int64_t due_ns,
		  int64_t now_ns)
{
	if (client->job->attackers && idle == NULL && client->credit_ns < 0) {
		settle(client, index, OUTCOME_NONE, 0, now_ns);
		return;
	}
	if (client->job->attackers && !again)
		second_of(client, now_ns)->sent++;
	struct connection *c = idle;
	if (c != NULL) {
		unrest(client, c);
	} else {
		c = open_new(client, index, now_ns);
		if (c == NULL) {
			settle(client, index, OUTCOME_CLOSED, 0, now_ns);
			return;
		}
	}
	due_add(&client->waiting, c, due_ns);
	c->state = idle != NULL ? CONNECTION_WRITING : CONNECTION_GREETING;
	c->sending = index;
	c->written = 0;
	c->again = again;
	/* A new connection is heard of when it is there. */
	if (idle != NULL)
		client_step(client, c, false, now_ns);
}

void client_send(struct client *client, size_t index, int64_t now_ns)
{
	const struct sending *sending = sending_of(client, index);
	struct record *record = client->job->record;
	int64_t meant_ns = client->start_ns + sending->at_ns;
	if (client->job->attackers) {
		second_of(client, now_ns)->offered++;
	} else {
		struct asking asking;
		make_asking(client, sending, &asking);
		record->asked[index].meant_ns = sending->at_ns;
		record->asked[index].late_us = (int32_t)((now_ns - meant_ns) / 1000);
		record->asked[index].kept = asking.kept;
		record->asked[index].guest = sending->who >= client->job->plan->census.residents.count;
		record->asked[index].forged = sending->who < client->job->plan->shape->volley.forged_residents;
	}
	begin(client, index, client->idle[sending->who], false, meant_ns + client->patience_ns, now_ns);
}

void client_give_up(struct client *client, struct connection *c, int64_t now_ns)
{
	settle(client, c->sending, OUTCOME_LATE, 0, now_ns);
	client_drop(client, c, true);
}
