/*
 * Terms are evaluated from left to right. Whether any number of a range is taken is asked of its ends and of the
 * neighbours of what terms name; sets of bits are tried one by one.
 */
#include "upstream/flow_rule.h"

uint32_t flow_value_most(unsigned component)
{
	static const uint32_t most[FLOW_COMPONENTS] = {
		[FLOW_PROTOCOL] = 0xff,        [FLOW_PORT] = 0xffff,    [FLOW_DESTINATION_PORT] = 0xffff,
		[FLOW_SOURCE_PORT] = 0xffff,   [FLOW_ICMP_TYPE] = 0xff, [FLOW_ICMP_CODE] = 0xff,
		[FLOW_TCP_FLAGS] = 0xfff, /* four bits of the header's length are no flags */
		[FLOW_PACKET_LENGTH] = 0xffff, [FLOW_DSCP] = 0x3f,      [FLOW_FRAGMENT] = 0xf,
		[FLOW_LABEL] = 0xfffff,
	};
	return component < FLOW_COMPONENTS ? most[component] : 0;
}

bool flow_rule_add(struct flow_rule *rule, unsigned component, unsigned test, uint32_t value)
{
	const struct flow_term *last = rule->term_count > 0 ? &rule->terms[rule->term_count - 1] : NULL;
	unsigned known = flow_is_bits(component) ? FLOW_AND | FLOW_ALL_BITS | FLOW_NOT
						 : FLOW_AND | FLOW_EQUAL | FLOW_GREATER | FLOW_LESS;
	bool first = last == NULL || last->component != component;
	if (component < FLOW_PROTOCOL || component > (rule->v6 ? FLOW_LABEL : FLOW_FRAGMENT) ||
	    rule->term_count == FLOW_TERMS_MOST || (last != NULL && last->component > component) ||
	    value > flow_value_most(component) || (test & ~known) != 0 || (first && (test & FLOW_AND) != 0))
		return false;
	rule->terms[rule->term_count++] = (struct flow_term){(uint8_t)component, (uint8_t)test, value};
	return true;
}

bool flow_prefix_fits(const struct flow_prefix *side, bool v6)
{
	const struct prefix *p = &side->prefix;
	if (!v6)
		return side->offset == 0 && prefix_is_v4(p);
	if (prefix_is_v4(p))
		return false;
	return side->offset < p->bits || (side->offset == 0 && p->bits == 0);
}

static bool term_holds(const struct flow_term *term, uint32_t value)
{
	unsigned test = term->test;
	if (flow_is_bits(term->component)) {
		uint32_t common = value & term->value;
		bool holds = (test & FLOW_ALL_BITS) != 0 ? common == term->value : common != 0;
		return holds != ((test & FLOW_NOT) != 0);
	}
	return ((test & FLOW_EQUAL) != 0 && value == term->value) ||
	       ((test & FLOW_GREATER) != 0 && value > term->value) || ((test & FLOW_LESS) != 0 && value < term->value);
}

bool flow_rule_has(const struct flow_rule *rule, unsigned component)
{
	for (size_t i = 0; i < rule->term_count; i++)
		if (rule->terms[i].component == component)
			return true;
	return false;
}

bool flow_rule_takes(const struct flow_rule *rule, unsigned component, uint32_t value)
{
	bool said = false, group = false;
	for (size_t i = 0; i < rule->term_count; i++) {
		const struct flow_term *term = &rule->terms[i];
		if (term->component != component)
			continue;
		if ((term->test & FLOW_AND) == 0 && group)
			return true;
		bool holds = term_holds(term, value);
		group = (term->test & FLOW_AND) != 0 ? group && holds : holds;
		said = true;
	}
	return !said || group;
}

/* What holds changes at the values that terms name only, so that their neighbours stand for all. */
bool flow_rule_takes_any(const struct flow_rule *rule, unsigned component, uint32_t least, uint32_t most)
{
	if (flow_is_bits(component)) {
		for (uint32_t value = least; value <= most; value++)
			if (flow_rule_takes(rule, component, value))
				return true;
		return false;
	}
	if (flow_rule_takes(rule, component, least) || flow_rule_takes(rule, component, most))
		return true;
	for (size_t i = 0; i < rule->term_count; i++)
		for (uint32_t step = 0; step < 3; step++) {
			uint32_t value = rule->terms[i].value + step - 1;
			if (rule->terms[i].component == component && value >= least && value <= most &&
			    flow_rule_takes(rule, component, value))
				return true;
		}
	return false;
}
