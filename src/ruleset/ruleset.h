/*
 * Rules as data: what the compiler of SecLang writes and the engine reads. Everything here is immutable once compiled
 * and may be read by any number of threads. Memory belongs to units (a source's rules, shared by every rule set that
 * includes the same text in the same state) and to the rule set (its own order, its copies of the rules it changes).
 */
#ifndef GUIA_RULESET_RULESET_H
#define GUIA_RULESET_RULESET_H

#include "base/arena.h"
#include "codec/transform.h"

#include <stdint.h>

struct networks;
struct phrases;
struct regex;
struct scan_set;
struct byte_range;
struct unicode_map;

enum variable {
#define VARIABLE(id, name, shape) VARIABLE_##id,
#include "ruleset/variable_table.h"
#undef VARIABLE
	VARIABLE_COUNT
};

enum variable_shape { VARIABLE_SCALAR, VARIABLE_COLLECTION, VARIABLE_STORED };

struct variable_info {
	const char *name;
	enum variable_shape shape;
};
extern const struct variable_info variable_infos[VARIABLE_COUNT];

/* -ENOENT if there is no such variable. */
int variable_find(struct slice name, enum variable *ret_variable);

enum operator_kind {
#define OPERATOR(id, name, argument) OPERATOR_##id,
#include "ruleset/operator_table.h"
#undef OPERATOR
	OPERATOR_COUNT
};

enum operator_argument { OPERATOR_TEXT, OPERATOR_NUMBER, OPERATOR_PATTERN, OPERATOR_NONE };

struct operator_info {
	const char *name;
	enum operator_argument argument;
};
extern const struct operator_info operator_infos[OPERATOR_COUNT];

/* `name` without the @. -ENOENT if there is no such operator. */
int operator_find(struct slice name, enum operator_kind *ret_kind);

/* TX names are numbered over a whole process-wide symbol table of the pool, so that rules of different units agree. */
enum { SLOT_NONE = -1 };

/* A piece of text with %{...}: literal bytes, or a variable's value. */
struct macro_part {
	struct slice literal; /* when !is_variable */
	bool is_variable;
	enum variable variable;
	struct slice selector; /* as written; empty if none */
	int tx_slot;           /* of a TX variable; SLOT_NONE otherwise */
};

struct macro {
	const struct macro_part *parts;
	size_t part_count;
	struct slice text; /* as written */
};

/* True if expansion needs no transaction: the value is ->text. */
static inline bool macro_is_literal(const struct macro *macro)
{
	return macro->part_count == 0 || (macro->part_count == 1 && !macro->parts[0].is_variable);
}

enum selector_kind { SELECTOR_NONE, SELECTOR_NAME, SELECTOR_REGEX, SELECTOR_XPATH };

enum { SCAN_GROUP_NONE = UINT16_MAX };

/* One element of a rule's variable list. */
struct target {
	enum variable variable;
	enum selector_kind selector_kind;
	bool excluded; /* !NAME */
	bool counted;  /* &NAME */
	struct slice selector;
	const struct regex *regex; /* of SELECTOR_REGEX */
	int tx_slot;               /* of TX:name; SLOT_NONE otherwise */
	/* Where the plan put this rule's pattern for this target: unit->scan_groups[scan_group], bit scan_bit. */
	uint16_t scan_group; /* SCAN_GROUP_NONE: not scanned, ask the operator */
	uint16_t scan_bit;
};

/* A compiled operator. The pattern's kind follows from `kind`; regexes, phrases and networks are owned by the pool. */
struct rule_operator {
	enum operator_kind kind;
	bool negated;
	struct macro argument; /* as written, also where it was compiled */
	/* NULL where not of that kind, or where the argument has a macro and is compiled at evaluation (@rx "%{...}").
	 */
	const struct regex *regex;
	const struct phrases *phrases;
	const struct networks *networks;
	const struct byte_range *bytes;
	const void *schema; /* of validateDTD and validateSchema: the file's path, NUL-terminated */
	/* A hit of the scan is the verdict; otherwise a hit must be confirmed by `regex`. */
	bool scan_exact;
	bool certain;    /* of a regex: it matches whatever the value */
	bool needs_dots; /* likewise: every match has two dots in a row */
};

enum disruptive {
	DISRUPTIVE_NONE, /* not given: the phase's SecDefaultAction has been merged in by the compiler */
	DISRUPTIVE_PASS,
	DISRUPTIVE_BLOCK, /* resolved by the engine through rule.block_action */
	DISRUPTIVE_DENY,
	DISRUPTIVE_DROP,
	DISRUPTIVE_REDIRECT,
	DISRUPTIVE_ALLOW,
	DISRUPTIVE_ALLOW_PHASE,
	DISRUPTIVE_ALLOW_REQUEST,
};

enum setvar_kind { SETVAR_SET, SETVAR_ADD, SETVAR_SUBTRACT, SETVAR_UNSET };

struct setvar {
	enum setvar_kind kind;
	enum variable collection; /* TX or a STORED one */
	struct macro name;
	int tx_slot; /* of a TX name without macros; SLOT_NONE otherwise */
	struct macro value;
};

enum ctl_kind {
	CTL_AUDIT_ENGINE,
	CTL_AUDIT_LOG_PARTS,
	CTL_DEBUG_LOG_LEVEL,
	CTL_FORCE_REQUEST_BODY_VARIABLE,
	CTL_PARSE_XML_INTO_ARGS,
	CTL_REQUEST_BODY_ACCESS,
	CTL_REQUEST_BODY_LIMIT,
	CTL_REQUEST_BODY_PROCESSOR,
	CTL_RESPONSE_BODY_ACCESS,
	CTL_RESPONSE_BODY_LIMIT,
	CTL_RULE_ENGINE,
	CTL_RULE_REMOVE_BY_ID,
	CTL_RULE_REMOVE_BY_MSG,
	CTL_RULE_REMOVE_BY_TAG,
	CTL_RULE_REMOVE_TARGET_BY_ID,
	CTL_RULE_REMOVE_TARGET_BY_MSG,
	CTL_RULE_REMOVE_TARGET_BY_TAG,
	CTL_COUNT
};

struct id_range {
	int64_t first;
	int64_t last;
};

enum switch_mode { SWITCH_UNSET, SWITCH_OFF, SWITCH_ON, SWITCH_DETECTION_ONLY, SWITCH_RELEVANT_ONLY };
enum body_processor { BODY_PROCESSOR_NONE, BODY_URLENCODED, BODY_MULTIPART, BODY_JSON, BODY_XML };

struct ctl {
	enum ctl_kind kind;
	enum switch_mode mode;         /* engines, access, force */
	enum body_processor processor; /* CTL_REQUEST_BODY_PROCESSOR */
	int64_t number;                /* limits, levels */
	struct id_range ids;           /* ..._BY_ID */
	struct macro text;             /* tag or message pattern; log parts with their sign */
	const struct regex *regex;     /* of text, where it is a pattern */
	struct target target;          /* ..._TARGET_... */
};

enum action_kind {
	ACTION_SETVAR,
	ACTION_CTL,
	ACTION_INITCOL,      /* collection in setvar.collection, key in text */
	ACTION_EXPIREVAR,    /* setvar.collection, setvar.name; seconds in text */
	ACTION_DEPRECATEVAR, /* setvar.collection, setvar.name; text as "amount/seconds" */
	ACTION_SETENV,       /* setvar.name, setvar.value */
	ACTION_SETUID,
	ACTION_SETSID,
	ACTION_SETRSC,
	ACTION_SANITISE_ARG,
	ACTION_SANITISE_MATCHED,
	ACTION_SANITISE_MATCHED_BYTES,
	ACTION_SANITISE_REQUEST_HEADER,
	ACTION_SANITISE_RESPONSE_HEADER,
};

/* A non-disruptive action, executed in the order written. */
struct action {
	enum action_kind kind;
	union {
		struct setvar setvar;
		struct ctl ctl;
	};
	struct macro text;
};

enum severity { SEVERITY_UNSET = 255 }; /* 0 EMERGENCY to 7 DEBUG */

/* A chain has no more rules, its head among them. */
enum { CHAIN_RULES_MAX = 64 };

enum rule_kind { RULE_OPERATOR, RULE_ACTION, RULE_MARKER };

enum {
	PHASE_FIRST = 1,
	PHASE_REQUEST_HEADERS = 1,
	PHASE_REQUEST_BODY,
	PHASE_RESPONSE_HEADERS,
	PHASE_RESPONSE_BODY,
	PHASE_LOGGING,
	PHASE_LAST = PHASE_LOGGING
};

struct rule_namespace {
	struct slice prefix;
	struct slice uri;
};

struct unit;
struct wording;

/* A rule, a link of a chain, a SecAction, or a marker. */
struct rule {
	enum rule_kind kind;
	int64_t id; /* a link has its head's */
	uint8_t phase;
	uint8_t chain_depth; /* 0 the head */
	bool capture;
	bool multi_match;
	bool log;       /* resolved over defaults */
	bool audit_log; /* resolved over defaults */
	uint8_t severity;
	uint8_t maturity;
	uint8_t accuracy;
	uint8_t paranoia_level; /* from a tag paranoia-level/N; 0 if none. For people, never for a verdict. */
	enum disruptive disruptive;
	enum disruptive block_action; /* what `block` means here: of the phase's SecDefaultAction */
	uint16_t status;              /* 0: the default */
	uint32_t skip;                /* rules to skip on a match; 0 none */
	struct slice skip_after;      /* marker or id, empty if none */
	struct macro redirect_url;
	struct slice marker; /* of RULE_MARKER */

	const struct target *targets;
	size_t target_count;
	struct rule_operator operation;

	const enum transform *transforms; /* in order, SecDefaultAction's merged in and t:none resolved */
	size_t transform_count;
	uint32_t pipeline; /* equal transforms have an equal number, over the whole pool; 0 none */

	const struct action *actions;
	size_t action_count;
	const struct rule_namespace *namespaces;
	size_t namespace_count;

	struct macro message;
	struct macro log_data;
	const struct macro *tags;
	size_t tag_count;
	struct slice revision;
	struct slice version;

	const struct rule *next_link;  /* of the chain, NULL at its end */
	const struct wording *wording; /* of a chain that logs, for each of its links; NULL of others */
	const struct unit *unit;       /* whose scan groups the targets name */
	const char *file;
	unsigned line;
};

/* One Hyperscan database and whom its bits stand for. A value is scanned after any pipeline of the rules it serves. */
struct scan_group {
	const struct scan_set *set;
	size_t bit_count;
};

/* What one source text compiled to. Reference-counted by the pool. */
struct unit {
	const struct scan_group *scan_groups;
	size_t scan_group_count;
};

/* What the directives that are not rules add up to. Sizes in bytes. */
struct settings {
	enum switch_mode rule_engine; /* SWITCH_OFF, ON, DETECTION_ONLY */
	bool request_body_access;
	bool response_body_access;
	uint64_t request_body_limit;
	uint64_t request_body_no_files_limit;
	uint64_t request_body_in_memory_limit;
	bool request_body_limit_rejects; /* else ProcessPartial */
	uint64_t response_body_limit;
	bool response_body_limit_rejects;
	uint32_t request_body_json_depth_limit;
	uint32_t arguments_limit; /* 0 none */
	const struct slice *response_mime_types;
	size_t response_mime_type_count;
	uint8_t argument_separator;
	uint8_t cookie_format; /* 0 Netscape, 1 version 1 */
	bool xml_external_entity;
	uint8_t parse_xml_into_args;           /* 0 off, 1 on, 2 only args */
	const struct unicode_map *unicode_map; /* NULL none */
	uint32_t pcre_match_limit;
	uint32_t pcre_match_limit_recursion;
	uint32_t collection_timeout_seconds;
	uint32_t upload_file_limit;
	uint32_t upload_file_mode;
	bool upload_keep_files;
	bool tmp_save_uploaded_files;
	struct slice upload_dir;
	struct slice web_app_id;
	struct slice sensor_id;
	struct slice server_signature;
	struct slice component_signatures; /* joined by "; " */
	struct slice geo_database;
	struct slice http_bl_key;
	enum switch_mode audit_engine;             /* SWITCH_OFF, ON, RELEVANT_ONLY */
	const struct regex *audit_relevant_status; /* NULL none */
	uint32_t audit_parts;                      /* bit 0 is A, bit 25 is Z */
	bool audit_json;
	struct slice audit_log;
	struct slice audit_log2;
	struct slice audit_storage_dir;
	uint32_t audit_dir_mode;
	uint32_t audit_file_mode;
	uint8_t audit_type; /* 0 serial, 1 parallel, 2 HTTPS */
	struct slice debug_log;
	uint8_t debug_log_level;
	/* Ours. */
	uint64_t transaction_memory_limit;  /* SecGuiaMemoryLimit */
	bool body_by_sight;                 /* SecGuiaBodyBySight */
	const struct slice *redacted_names; /* SecGuiaRedact: added to the built-in table */
	size_t redacted_name_count;
};

struct ruleset {
	struct settings settings;
	/* Heads and markers in order; removed rules are absent, changed ones are copies of the rule set's own. */
	const struct rule *const *rules;
	size_t rule_count;
	/* The same by phase; markers appear in every phase. Indexed by PHASE_*, [0] unused. */
	struct ruleset_phase {
		const struct rule *const *rules;
		size_t count;
	} phases[PHASE_LAST + 1];
	const char *const *tx_names; /* by slot */
	size_t tx_slot_count;
	bool uses_stored_collections;
	/* Whether some rule of the phase could disrupt: the gate delays response headers only then. */
	bool phase_can_disrupt[PHASE_LAST + 1];
};

#endif
