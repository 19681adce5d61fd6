/*
 * The order of a drill: stage and network, the days before, then each shape as a trial of two runs of one scene, which
 * the seed decides. A void trial is played again as far as number and time allow, with less to send where the machine
 * could not; before packets it is looked at what the gate takes in.
 */
#include "drill/drill.h"

#include "base/error.h"
#include "drill/fence.h"
#include "drill/network.h"
#include "drill/random.h"
#include "drill/report.h"
#include "drill/router.h"
#include "drill/run.h"
#include "drill/spare.h"
#include "drill/tracking.h"
#include "drill/volley_program.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	AGAIN_MOST = 2,
	MOST_S = 20 * 60,
	BRIEF_MOST_S = 90,       /* a shape */
	SENDS_LEAST = 1500,      /* requests a second: of fewer the origin answers most */
	CROWD_BUSY_PERCENT = 55, /* that packets are planned for; a run may use 60 */
	BEGINNING_MS = 8000,     /* that both runs of a shape need beside their time, on a slow day */
};

static const double PACKETS_AGAIN_SHARE = 0.9;
/*
 * Of a packet to the crowd, against a look without: most go no further there than a full ring, and none is
 * answered. 2.2 to 2.3 of datagrams, on a machine of 2.6 GHz.
 */
static const double COST_WITH_GUIA = 2.3;

struct drill {
	const struct drill_options *options;
	struct stage stage;
	int gate_processor;
	int crowd_processor;
	int receiver; /* the kernel's thread that receives for the gate, of packet shapes */
	struct past past;
	unsigned again; /* shapes may be played once more */
	size_t left;    /* shapes to come */
	uint32_t sends; /* requests of an attack a second are planned at most, as a run showed; 0: none did */
	int64_t began_ns;
	size_t verdicts[VERDICT_VOID + 1];
	json_t *shapes; /* NULL if nobody wants them */
};

/* What the seed decides of a shape, the same for both runs. */
struct scene {
	struct run_plan plan;
	struct run_plan control; /* without Guia */
	struct run_plan morning; /* with it */
	struct people people;
	struct tells tells;
	struct schedule visitors;
	struct schedule attack;
	struct schedule morning_visitors;
};

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	va_list arguments;
	fputs("guia: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

static void scene_free(struct scene *scene)
{
	people_free(&scene->people);
	schedule_free(&scene->visitors);
	schedule_free(&scene->attack);
	schedule_free(&scene->morning_visitors);
}

static int scene_make(const struct drill *drill, const struct shape *shape, struct scene *ret_scene)
{
	struct scene scene = {0};
	uint64_t seed = drill->options->seed, day = random_stream(seed, (uint64_t)(shape - shapes) + 100);
	scene.plan = run_plan_of(shape, seed, day, drill->options->brief);
	if (shape->volley.kind == PACKET_NONE)
		run_plan_lighten(&scene.plan, drill->sends);
	scene.control = run_plan_control(&scene.plan);
	scene.morning = run_plan_morning(&scene.plan);
	scene.tells = tells_draw(&scene.plan);
	int r = people_make(&scene.plan.census, &scene.people);
	r = r != 0 ? r : schedule_visitors(&scene.plan, &scene.visitors);
	r = r != 0 ? r : schedule_attack(&scene.plan, &scene.tells, &scene.attack);
	r = r != 0 ? r : schedule_visitors(&scene.morning, &scene.morning_visitors);
	if (r == 0)
		*ret_scene = scene;
	else
		scene_free(&scene);
	return r;
}

static int run_told(const struct run_setting *setting, struct record **ret_record)
{
	struct buffer said = buffer_make(NULL);
	int r = run_shape(setting, &said, ret_record);
	if (r != 0)
		say("%s: %s\n%.*s", setting->plan->shape->name, strerror(-r), SLICE_ARG(buffer_slice(&said)));
	buffer_free(&said);
	return r;
}

static int run_one(const struct drill *drill, const struct scene *scene, struct account *account,
		   struct record **ret_record)
{
	bool guia = account != NULL;
	const struct run_plan *plan = guia ? &scene->plan : &scene->control;
	struct run_setting setting = {
		.stage = &drill->stage,
		.gate_processor = drill->gate_processor,
		.crowd_processor = drill->crowd_processor,
		.plan = plan,
		.people = &scene->people,
		.tells = &scene->tells,
		.visitors = &scene->visitors,
		.attack = &scene->attack,
		.guia = guia,
		.morning = guia ? &scene->morning : NULL,
		.morning_visitors = &scene->morning_visitors,
		.past = guia ? &drill->past : NULL,
		.account = account,
		.receiver = drill->receiver,
	};
	say("%s, %s Guia: %u s", plan->shape->name, guia ? "with" : "without",
	    (run_plan_end_ms(plan) + (guia ? scene->morning.quiet_ms : 0)) / 1000);
	return run_told(&setting, ret_record);
}

/* Both runs of a shape, and what they came to. */
struct trial {
	struct record *without, *with;
	struct account account;
	struct pair pair;
	enum verdict verdict;
};

/* What the gate can take in on this machine decides how many packets an attack has, the same number in both runs. */
static int look_at_gate(const struct drill *drill, struct scene *scene)
{
	struct run_plan plan = run_plan_look(&scene->plan);
	struct schedule visitors = {0};
	struct record *record = NULL;
	struct figures figures = {.received_per_second = NAN};
	const struct run_setting setting = {.stage = &drill->stage,
					    .gate_processor = drill->gate_processor,
					    .crowd_processor = drill->crowd_processor,
					    .plan = &plan,
					    .people = &scene->people,
					    .tells = &scene->tells,
					    .visitors = &visitors,
					    .attack = &scene->attack,
					    .receiver = drill->receiver};
	say("%s, what the gate takes in: %u s", plan.shape->name, run_plan_end_ms(&plan) / 1000);
	int r = schedule_visitors(&plan, &visitors);
	r = r != 0 ? r : run_told(&setting, &record);
	r = r != 0 ? r : figures_of(&plan, record, NAN, &figures);
	record_unmap(record);
	schedule_free(&visitors);
	if (r == 0 && figures.received_per_second > 0) {
		run_plan_overwhelm(&scene->plan, (uint32_t)figures.received_per_second);
		double percent_each = COST_WITH_GUIA * figures.crowd_busy_percent / figures.sent_per_second;
		if (percent_each > 0)
			run_plan_lighten(&scene->plan, (uint32_t)fmin(CROWD_BUSY_PERCENT / percent_each, UINT32_MAX));
		scene->control = run_plan_control(&scene->plan);
	}
	return r;
}

static void trial_end(struct trial *trial)
{
	record_unmap(trial->without);
	record_unmap(trial->with);
	trial->without = trial->with = NULL;
}

static int trial_play(const struct drill *drill, const struct scene *scene, struct trial *trial)
{
	account_init(&trial->account);
	trial->pair = (struct pair){.plan = &scene->plan, .account = &trial->account};
	int r = run_one(drill, scene, NULL, &trial->without);
	r = r != 0 ? r : run_one(drill, scene, &trial->account, &trial->with);
	r = r != 0 ? r : figures_of(&scene->control, trial->without, NAN, &trial->pair.without);
	r = r != 0 ? r : figures_of(&scene->plan, trial->with, trial->account.mitigated_s, &trial->pair.with);
	if (r == 0)
		trial->verdict = judge(&trial->pair);
	return r;
}

static int show(struct drill *drill, const struct scene *scene, const struct trial *trial)
{
	const struct report report = {&trial->pair, &scene->tells, trial->without, trial->with, trial->verdict};
	drill->verdicts[report.verdict]++;
	if (drill->shapes != NULL)
		return json_array_append_new(drill->shapes, report_json(&report)) == 0 ? 0 : -ENOMEM;
	struct buffer text = buffer_make(NULL);
	report_text(&report, &text);
	fwrite(text.ptr, 1, text.len, stdout);
	fflush(stdout);
	buffer_free(&text);
	return 0;
}

/* Both runs of a shape. */
static int64_t planned_ms(const struct run_plan *plan)
{
	const struct run_plan control = run_plan_control(plan), morning = run_plan_morning(plan);
	return (int64_t)run_plan_end_ms(plan) + run_plan_end_ms(&control) + run_plan_end_ms(&morning) + BEGINNING_MS;
}

/* The whole drill keeps to its time, whatever disturbs it: what has been played takes what it took before. */
static bool has_time(const struct drill *drill, int64_t trial_ns)
{
	const struct drill_options *o = drill->options;
	int64_t most_s = o->brief ? BRIEF_MOST_S * (int64_t)o->shape_count : MOST_S;
	int64_t left_ns = (most_s < MOST_S ? most_s : MOST_S) * 1000000000 - (clock_now_ns() - drill->began_ns);
	for (size_t i = o->shape_count - drill->left; i < o->shape_count; i++) {
		const struct run_plan plan = run_plan_of(o->shapes[i], 0, 0, o->brief);
		left_ns -= planned_ms(&plan) * 1000000;
	}
	return trial_ns <= left_ns;
}

static void say_void(const struct pair *pair, const char *what)
{
	for (size_t i = 0; i < judge_condition_count; i++) {
		const struct judge_line *line = &judge_conditions[i];
		if (line->asked(pair) && !judge_meets(line, pair))
			say("%s: void, %s: %s: %.4g %s (at %s %.4g)", pair->plan->shape->name, what, line->title,
			    line->value(pair), line->unit, line->at_least ? "least" : "most", line->bound(pair));
	}
}

/*
 * On a slow machine the crowd cannot send all that is due. What both runs did send, and a tenth less, is what is
 * planned from then on: fewer requests, but the same number in both runs. Whether that was seen.
 */
static bool learn_sends(struct drill *drill, const struct pair *pair)
{
	struct run_plan lighter = *pair->plan;
	double sends = 0.9 * fmin(pair->without.sent_per_second, pair->with.sent_per_second);
	if (!(sends >= SENDS_LEAST && sends < pair->plan->attacks_per_second))
		return false;
	run_plan_lighten(&lighter, (uint32_t)sends);
	if (lighter.attacks_per_second == pair->plan->attacks_per_second)
		return false;
	drill->sends = (uint32_t)sends;
	say("%s: this machine sends no more than %.0f requests a second without Guia and %.0f with it; from now on %u "
	    "are planned, not %u",
	    pair->plan->shape->name, pair->without.sent_per_second, pair->with.sent_per_second, drill->sends,
	    pair->plan->attacks_per_second);
	return true;
}

/* Packets that take more of the crowd's processor than it has for them: fewer are planned, the same in both runs. */
static void lighten_packets(struct scene *scene, const struct pair *pair)
{
	double busy = fmax(pair->without.crowd_busy_percent, pair->with.crowd_busy_percent);
	double share = fmin(PACKETS_AGAIN_SHARE, CROWD_BUSY_PERCENT / busy);
	uint32_t planned = scene->plan.attacks_per_second;
	run_plan_lighten(&scene->plan, (uint32_t)(share * planned));
	if (scene->plan.attacks_per_second == planned)
		return;
	scene->control = run_plan_control(&scene->plan);
	say("%s: from now on %u packets a second are planned, not %u", pair->plan->shape->name,
	    scene->plan.attacks_per_second, planned);
}

/* What the machine disturbed says nothing of Guia, whichever way it went: it is played again, if not too often. */
static int play_scene(struct drill *drill, struct scene *scene, struct trial *trial)
{
	int64_t began_ns = clock_now_ns();
	int r = trial_play(drill, scene, trial);
	while (r == 0 && trial->verdict == VERDICT_VOID) {
		int64_t now_ns = clock_now_ns();
		bool has = drill->again > 0 && has_time(drill, now_ns - began_ns);
		say_void(&trial->pair, has                ? "once more"
				       : drill->again > 0 ? "and no time to play it once more"
							  : "and enough was played once more");
		bool packets = scene->plan.shape->volley.kind != PACKET_NONE;
		bool lighter = !packets && learn_sends(drill, &trial->pair);
		if (!has)
			break;
		if (packets)
			lighten_packets(scene, &trial->pair);
		began_ns = now_ns;
		drill->again--;
		trial_end(trial);
		const struct shape *shape = scene->plan.shape;
		if (lighter)
			scene_free(scene);
		r = lighter ? scene_make(drill, shape, scene) : 0;
		r = r != 0 ? r : trial_play(drill, scene, trial);
	}
	return r != 0 ? r : show(drill, scene, trial);
}

static int play_shape(struct drill *drill, const struct shape *shape)
{
	struct scene scene;
	struct trial *trial = calloc(1, sizeof(*trial));
	int r = trial == NULL ? -ENOMEM : scene_make(drill, shape, &scene);
	if (r != 0) {
		free(trial);
		return r;
	}
	const char *why;
	bool packets = shape->volley.kind != PACKET_NONE,
	     card = packets || (shape->kind == KIND_ATTACK && fence_may_be(&drill->stage, &why));
	r = network_admit(&drill->stage, &scene.people);
	if (r == 0 && card)
		r = network_card_begin(&drill->stage, drill->gate_processor, drill->crowd_processor,
				       packets ? RECEIVER_FIRST : RECEIVER_NEXT, &drill->receiver);
	if (r == 0 && run_plan_needs_look(&scene.plan))
		r = look_at_gate(drill, &scene);
	r = r != 0 ? r : play_scene(drill, &scene, trial);
	if (card)
		network_card_end(&drill->stage, drill->gate_processor, drill->crowd_processor);
	trial_end(trial);
	free(trial);
	scene_free(&scene);
	return r;
}

/* A day on which nobody attacks, of which only what the gate has learned is kept. */
static int play_past(struct drill *drill)
{
	static const struct tells none;
	struct run_plan plan = run_plan_past(drill->options->seed, drill->options->brief);
	struct people people = {0};
	struct schedule visitors = {0}, attack = {0};
	struct record *record = NULL;
	const struct run_setting setting = {.stage = &drill->stage,
					    .gate_processor = drill->gate_processor,
					    .crowd_processor = drill->crowd_processor,
					    .plan = &plan,
					    .people = &people,
					    .tells = &none,
					    .visitors = &visitors,
					    .attack = &attack,
					    .guia = true,
					    .keep = &drill->past};
	say("%s: %u s", plan.shape->name, run_plan_end_ms(&plan) / 1000);
	int r = people_make(&plan.census, &people);
	r = r != 0 ? r : schedule_visitors(&plan, &visitors);
	r = r != 0 ? r : network_admit(&drill->stage, &people);
	r = r != 0 ? r : run_told(&setting, &record);
	record_unmap(record);
	schedule_free(&visitors);
	people_free(&people);
	return r;
}

/* Packets are stopped at the edge: where there can be none, such a shape is no test. */
static bool may_volley(const struct drill *drill, const struct shape *shape, const char **ret_why)
{
	if (!fence_may_be(&drill->stage, ret_why) || (shape->link_mbit > 0 && !router_may_be(ret_why)) ||
	    (shape->volley.tracked && !tracking_may_be(&drill->stage, ret_why)))
		return false;
	*ret_why = "this kernel lets no program send packets, as Linux 5.18 does";
	return volley_program_may_be();
}

static bool may_play(const struct drill *drill, const struct shape *shape)
{
	const char *why;
	if (shape->volley.kind == PACKET_NONE || may_volley(drill, shape, &why))
		return true;
	say("%s: skipped: %s", shape->name, why);
	if (drill->shapes == NULL)
		printf("%s: %s\n  skipped: %s\n\n", shape->name, shape->title, why);
	else
		json_array_append_new(drill->shapes, json_pack("{s:s, s:s, s:s, s:s}", "name", shape->name, "title",
							       shape->title, "verdict", "skipped", "why", why));
	return false;
}

static int build(struct drill *drill, const struct stage *outside)
{
	const char *what = "";
	if (stage_processors(&drill->gate_processor, &drill->crowd_processor) != 0) {
		say("a drill needs two processors: one for the gate and its origin, one for those who come");
		return -ENODEV;
	}
	int r = stage_build(outside, &drill->stage, &what);
	if (r != 0) {
		say("this machine does not allow the drill %s: %s", what, strerror(-r));
		return r;
	}
	stage_come_first();
	(void)stage_pin(drill->crowd_processor); /* what keeps the score stays away from the gate */
	r = network_build(&drill->stage, drill->gate_processor, drill->crowd_processor);
	if (r < 0)
		say("this machine does not allow the drill a network of its own: %s", strerror(-r));
	else if (r == NETWORK_RECEIVES_ELSEWHERE)
		say("without root what the gate receives is first worked at on the crowd's processor, which flatters "
		    "it");
	return r < 0 ? r : 0;
}

static void summarise(const struct drill *drill)
{
	const struct drill_options *o = drill->options;
	int seconds = (int)((clock_now_ns() - drill->began_ns) / 1000000000);
	if (drill->shapes == NULL) {
		printf("seed %" PRIu64 ":", o->seed);
		const char *comma = "";
		for (size_t i = 0; i <= VERDICT_VOID; i++)
			if (drill->verdicts[i] > 0) {
				printf("%s %zu %s", comma, drill->verdicts[i], verdict_names[i]);
				comma = ",";
			}
		printf("; it took %d min %d s\n", seconds / 60, seconds % 60);
		return;
	}
	json_t *whole = json_pack("{s:I, s:b, s:i, s:O}", "seed", (json_int_t)o->seed, "root", drill->stage.root,
				  "seconds", seconds, "shapes", drill->shapes);
	json_dumpf(whole, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(whole);
}

static int play(void *context, const struct stage *outside)
{
	struct drill drill = {.options = context, .again = AGAIN_MOST, .began_ns = clock_now_ns()};
	drill.shapes = drill.options->json ? json_array() : NULL;
	int r = build(&drill, outside);
	r = r != 0 ? r : play_past(&drill);
	for (size_t i = 0; i < drill.options->shape_count && r == 0; i++) {
		drill.left = drill.options->shape_count - i - 1;
		if (may_play(&drill, drill.options->shapes[i]))
			r = play_shape(&drill, drill.options->shapes[i]);
	}
	past_free(&drill.past);
	if (r != 0)
		return DRILL_ENVIRONMENT;
	summarise(&drill);
	if (fflush(stdout) != 0 || ferror(stdout) != 0) {
		say("cannot write: %s", strerror(errno));
		return DRILL_ENVIRONMENT;
	}
	return drill.verdicts[VERDICT_NOT_SURVIVED] + drill.verdicts[VERDICT_NOT_SPARED] +
				       drill.verdicts[VERDICT_NOT_TOLD] >
			       0
		       ? DRILL_FINDINGS
	       : drill.verdicts[VERDICT_VOID] > 0 ? DRILL_ENVIRONMENT
						  : DRILL_FINE;
}

int drill_run(const struct drill_options *options)
{
	int code = DRILL_ENVIRONMENT;
	struct drill_options copy = *options;
	spare_begin();
	int r = stage_enter(play, &copy, &code);
	if (r == -ECHILD)
		say("the drill was ended from outside");
	else if (r != 0)
		say("this machine does not allow this user namespaces: %s; root may have them, or see "
		    "user.max_user_namespaces in sysctl(8)",
		    strerror(-r));
	return r == 0 ? code : DRILL_ENVIRONMENT;
}
