/* The table of commands, in the order in which help shows them. */
#include "cli/command.h"

extern const struct command allow_command;
extern const struct command ban_command;
extern const struct command check_command;
extern const struct command drill_command;
extern const struct command edge_command;
extern const struct command evidence_command;
extern const struct command explain_command;
extern const struct command incidents_command;
extern const struct command inspect_command;
extern const struct command mode_command;
extern const struct command replay_command;
extern const struct command report_command;
extern const struct command screen_command;
extern const struct command serve_command;
extern const struct command status_command;
extern const struct command test_command;
extern const struct command top_command;
extern const struct command unban_command;
extern const struct command upstream_command;
extern const struct command watch_command;

const struct command *const commands[] = {
	&allow_command,    &ban_command,     &check_command,     &drill_command,    &edge_command,
	&evidence_command, &explain_command, &incidents_command, &inspect_command,  &mode_command,
	&replay_command,   &report_command,  &screen_command,    &serve_command,    &status_command,
	&test_command,     &top_command,     &unban_command,     &upstream_command, &watch_command,
};

const size_t command_count = sizeof(commands) / sizeof(commands[0]);
