/*
 * The table of shapes, and the plans made of a row: what is usual where the row says 0, brief ones as a part of that.
 * Then the other plans that a drill needs: without Guia, for a look, of the days before, of the morning.
 */
#include "drill/shape.h"

enum {
	PAST_MS = 30000,
	BRIEF_PAST_MS = 12000,
	MORNING_MS = 7000,
	QUIET_MS = 3000,
	ATTACK_MS = 40000,
	CALM_MS = 12000,
	CONTROL_MS = 7000,
	AFTER_MS = 4000,
	CALM_AFTER_MS = 2000,
	RESIDENTS = 2000,
	RESIDENTS_PER_SECOND = 300,
	BRIEF_ATTACK_MS = 8000,
	BRIEF_SLOW_MS = 12000,
	BRIEF_AFTER_MS = 3000,
	BRIEF_TIME_DIVISOR = 5,
	BRIEF_RATE_DIVISOR = 3,
	LOOK_QUIET_MS = 1500,
	LOOK_MS = 2000,
	PACKETS_CONTROL_MS =
		16000, /* who asks within 2 s of an attack's end is answered after it: not a fifth of all */
	/* Of what the gate takes in. Visitors try again within their 2 s: more than two in three must be lost. */
	OVERWHELM_PERCENT = 350,
	OVER_AFTER_MS = 70000, /* a flood of packets is over once it has been low for a minute */
};

const struct shape shapes[] = {
	{
		.name = "get-flood",
		.title = "GET flood on one URL",
		.target = TARGET_ONE_PAGE,
		.attackers = {.count = 2000, .being = BEING_TOOL},
		.per_second = 10000,
		.burst_gap_ms = 200,
	},
	{
		.name = "query-flood",
		.title = "random queries that defeat the cache",
		.target = TARGET_RANDOM_QUERY,
		.attackers = {.count = 2000, .being = BEING_TOOL},
		.per_second = 10000,
		.burst_gap_ms = 200,
	},
	{
		.name = "form-flood",
		.title = "POST flood on search and login",
		.target = TARGET_FORMS,
		.attackers = {.count = 2000, .being = BEING_TOOL},
		.per_second = 10000,
		.burst_gap_ms = 200,
	},
	{
		.name = "diffuse",
		.title = "diffuse flood, each of 20,000 sources under any limit",
		.target = TARGET_PRIVATE,
		.attackers = {.count = 20000, .being = BEING_TOOL},
		.per_second = 10000,
		.burst = 10,
		.burst_gap_ms = 150,
	},
	{
		.name = "slow-head",
		.title = "slowloris: headers without end",
		.target = TARGET_RESIDENT,
		.manner = MANNER_SLOW_HEAD,
		.attackers = {.count = 10000, .being = BEING_TOOL},
		.per_second = 1500,
		.control_ms = 15000,
	},
	{
		.name = "slow-body",
		.title = "bodies without end",
		.target = TARGET_FORMS,
		.manner = MANNER_SLOW_BODY,
		.attackers = {.count = 10000, .being = BEING_TOOL},
		.per_second = 1500,
		.control_ms = 15000,
	},
	{
		.name = "pulse",
		.title = "a flood that pauses and returns, 20 s on, 20 s off",
		.target = TARGET_PRIVATE,
		.attackers = {.count = 2000, .being = BEING_TOOL},
		.per_second = 10000,
		.burst_gap_ms = 200,
		.on_ms = 20000,
		.off_ms = 20000,
		.attack_ms = 60000,
	},
	{
		.name = "rotating-64",
		.title = "a flood from 5,000 /64 of one /48",
		.target = TARGET_PRIVATE,
		.attackers = {.count = 5000, .dwelling = DWELLING_ONE_48, .being = BEING_TOOL},
		.per_second = 10000,
		.burst = 10,
		.burst_gap_ms = 150,
		.residents_per_second = 240,
		.guests = {.title = "people in the neighbouring /48",
			   .group = {.count = 400, .dwelling = DWELLING_NEXT_48},
			   .per_second = 60},
	},
	{
		.name = "false-crawler",
		.title = "a flood that says it is the crawler that is allowed",
		.target = TARGET_RANDOM_QUERY,
		.attackers = {.count = 2000, .being = BEING_CRAWLER},
		.per_second = 10000,
		.burst_gap_ms = 200,
		.guests = {.title = "the crawler itself, allowed",
			   .group = {.count = 1, .dwelling = DWELLING_ONE_ADDRESS, .being = BEING_CRAWLER},
			   .per_second = 20,
			   .allowed = true,
			   .promise = PROMISE_NEVER},
	},
	{
		.name = "udp-flood",
		.title = "UDP packets from forged and from real addresses",
		.volley = {.kind = PACKET_UDP, .bytes = 64, .tracked = true, .forged_residents = 1000},
		.attackers = {.count = 2000},
		.per_second = 900000,
		.after_ms = OVER_AFTER_MS,
		.control_ms = PACKETS_CONTROL_MS,
	},
	{
		.name = "syn-flood",
		.title = "SYNs from forged addresses, residents' among them",
		.volley = {.kind = PACKET_SYN, .tracked = true, .forged_residents = 1000},
		.per_second = 900000,
		.control_ms = PACKETS_CONTROL_MS,
	},
	{
		.name = "link-full",
		.title = "a full link: the operator's router drops what it was asked to, ahead of it",
		.volley =
			{.kind = PACKET_UDP, .bytes = 1400, .from_port = 53, .only_v4 = true, .forged_residents = 1000},
		.link_mbit = 10,
		.control_ms = 10000,
		.attackers = {.count = 2000},
		.per_second = 30000,
	},
	{
		.name = "link-full-dark",
		.title = "a full link, and no session with the operator across it: a person must be told",
		.kind = KIND_DARK,
		.volley =
			{.kind = PACKET_UDP, .bytes = 1400, .from_port = 53, .only_v4 = true, .forged_residents = 1000},
		.link_mbit = 10,
		.control_ms = 10000,
		.dark = true,
		.attackers = {.count = 2000},
		.per_second = 30000,
	},
	{
		.name = "crowd",
		.title = "ten times as many visitors as usual, most from where nobody came before",
		.kind = KIND_CALM,
		.residents_per_second = 80,
		.guests = {.title = "those who are new",
			   .group = {.count = 6000, .dwelling = DWELLING_ELSEWHERE},
			   .per_second = 720,
			   .late = true},
	},
	{
		.name = "shared-address",
		.title = "500 people behind one address, and five attackers among them",
		.kind = KIND_CALM,
		.target = TARGET_RANDOM_QUERY,
		.attackers = {.count = 5, .dwelling = DWELLING_ONE_ADDRESS, .being = BEING_TOOL},
		.per_second = 200,
		.burst_gap_ms = 25,
		.residents_per_second = 225,
		.guests = {.title = "people behind that address",
			   .group = {.count = 500, .dwelling = DWELLING_ONE_ADDRESS},
			   .per_second = 75},
	},
	{
		.name = "hostile-page",
		.title = "a hostile page makes visitors' browsers ask",
		.kind = KIND_CALM,
		.target = TARGET_RANDOM_QUERY,
		.attackers = {.count = 500, .dwelling = DWELLING_RESIDENTS, .being = BEING_DRIVEN},
		.per_second = 400,
		.burst_gap_ms = 1250,
	},
};

const size_t shape_count = sizeof(shapes) / sizeof(shapes[0]);

const struct shape *shape_find(const char *name, struct nearest *nearest)
{
	*nearest = nearest_to(slice_from_string(name));
	for (size_t i = 0; i < shape_count; i++) {
		if (strcmp(shapes[i].name, name) == 0)
			return &shapes[i];
		nearest_offer(nearest, shapes[i].name);
	}
	return NULL;
}

static uint32_t usual(uint32_t given, uint32_t otherwise)
{
	return given != 0 ? given : otherwise;
}

struct run_plan run_plan_of(const struct shape *shape, uint64_t city, uint64_t day, bool brief)
{
	bool slow = shape->manner != MANNER_WHOLE,
	     lighter = brief && !slow && shape->kind == KIND_ATTACK && shape->volley.kind == PACKET_NONE;
	bool attacked = shape->kind == KIND_ATTACK;
	uint32_t attack_ms = usual(shape->attack_ms, attacked ? ATTACK_MS : CALM_MS),
		 divisor = lighter ? BRIEF_RATE_DIVISOR : 1;
	struct run_plan plan = {
		.shape = shape,
		.quiet_ms = QUIET_MS,
		.attack_ms = attack_ms,
		.after_ms = brief ? BRIEF_AFTER_MS : usual(shape->after_ms, attacked ? AFTER_MS : CALM_AFTER_MS),
		.on_ms = shape->on_ms,
		.off_ms = shape->off_ms,
		.census = {city, day, {.count = RESIDENTS}, shape->guests.group, shape->attackers},
		.residents_per_second = usual(shape->residents_per_second, RESIDENTS_PER_SECOND),
		.guests_per_second = shape->guests.per_second,
		/* Slow connections do harm by being many, not by being fast. */
		.attacks_per_second = shape->per_second / divisor,
		.brief = brief,
	};
	plan.census.attackers.count /= divisor;
	if (!brief)
		return plan;
	plan.attack_ms = slow ? BRIEF_SLOW_MS : plan.on_ms != 0 ? plan.attack_ms / BRIEF_TIME_DIVISOR : BRIEF_ATTACK_MS;
	plan.on_ms /= BRIEF_TIME_DIVISOR;
	plan.off_ms /= BRIEF_TIME_DIVISOR;
	return plan;
}

bool run_plan_needs_look(const struct run_plan *plan)
{
	return plan->shape->volley.kind != PACKET_NONE && plan->shape->link_mbit == 0;
}

struct run_plan run_plan_look(const struct run_plan *plan)
{
	struct run_plan look = *plan;
	look.quiet_ms = LOOK_QUIET_MS;
	look.attack_ms = LOOK_MS;
	look.after_ms = 0;
	return look;
}

void run_plan_overwhelm(struct run_plan *plan, uint32_t gate_takes)
{
	uint64_t rate = (uint64_t)gate_takes * OVERWHELM_PERCENT / 100;
	plan->gate_takes = gate_takes;
	plan->attacks_per_second = rate < plan->shape->per_second ? (uint32_t)rate : plan->shape->per_second;
}

void run_plan_lighten(struct run_plan *plan, uint32_t sends)
{
	const struct shape *shape = plan->shape;
	bool whole = shape->kind == KIND_ATTACK && shape->manner == MANNER_WHOLE && shape->link_mbit == 0;
	if (!whole || sends == 0 || sends >= plan->attacks_per_second)
		return;
	plan->attacks_per_second = sends;
	plan->lightened = true;
}

struct run_plan run_plan_control(const struct run_plan *plan)
{
	struct run_plan control = *plan;
	uint32_t most_ms = plan->brief ? plan->attack_ms : usual(plan->shape->control_ms, CONTROL_MS);
	control.attack_ms = most_ms < plan->attack_ms ? most_ms : plan->attack_ms;
	control.after_ms = 0;
	return control;
}

struct run_plan run_plan_past(uint64_t city, bool brief)
{
	static const struct shape past = {.name = "the days before", .kind = KIND_CALM};
	return (struct run_plan){
		.shape = &past,
		.quiet_ms = brief ? BRIEF_PAST_MS : PAST_MS,
		.census = {city, city, {.count = RESIDENTS}, {0}, {0}},
		.residents_per_second = RESIDENTS_PER_SECOND,
		.brief = brief,
		.everyone = true,
	};
}

/* So many a second that each of a group can come once in the morning. */
static uint32_t enough_for(const struct group *group, uint32_t per_second)
{
	uint32_t each = (uint32_t)(group->count * 1000 + MORNING_MS - 1) / MORNING_MS;
	return per_second == 0 || per_second > each ? per_second : each;
}

struct run_plan run_plan_morning(const struct run_plan *plan)
{
	struct run_plan morning = *plan;
	morning.quiet_ms = MORNING_MS;
	morning.attack_ms = morning.after_ms = 0;
	morning.attacks_per_second = 0;
	morning.census.day = ~plan->census.day; /* they come at other times, and ask for something else */
	morning.everyone = true;
	if (plan->shape->guests.late)
		morning.guests_per_second = 0;
	morning.residents_per_second = enough_for(&plan->census.residents, morning.residents_per_second);
	morning.guests_per_second = enough_for(&plan->census.guests, morning.guests_per_second);
	return morning;
}

bool run_plan_attacks(const struct run_plan *plan, uint32_t at_ms)
{
	if (at_ms < plan->quiet_ms || at_ms >= plan->quiet_ms + plan->attack_ms)
		return false;
	return plan->on_ms == 0 || (at_ms - plan->quiet_ms) % (plan->on_ms + plan->off_ms) < plan->on_ms;
}
