/* One run of a shape: the origin, nginx with or without Guia, residents and attackers, from quiet to quiet. */
#ifndef GUIA_DRILL_RUN_H
#define GUIA_DRILL_RUN_H

#include "base/buffer.h"
#include "drill/account.h"
#include "drill/past.h"
#include "drill/people.h"
#include "drill/record.h"
#include "drill/schedule.h"
#include "drill/stage.h"

struct run_setting {
	const struct stage *stage;
	int gate_processor;
	int crowd_processor;
	const struct run_plan *plan;
	const struct people *people;
	const struct tells *tells;
	const struct schedule *visitors;
	const struct schedule *attack;
	bool guia;
	const struct run_plan *morning; /* with Guia; NULL: there is none */
	const struct schedule *morning_visitors;
	const struct past *past; /* what it has learned before; NULL: nothing */
	struct past *keep;       /* what it has learned by the end is kept there; NULL: nowhere */
	int receiver;            /* of attacks of packets: network_card_begin() */
	struct account *account; /* with Guia: filled in */
};

/* 0 with *ret_record (record_unmap it), or -errno with what went wrong added to `said`. */
int run_shape(const struct run_setting *setting, struct buffer *said, struct record **ret_record);

#endif
