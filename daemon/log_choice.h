/* The log level that an operator chose at run time, and for how long. Pure: sets no level itself.
 */
#ifndef FLUXAWS_LOG_CHOICE_H
#define FLUXAWS_LOG_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

/* Longest time for which a level can be chosen. */
#define LOG_CHOICE_SEC_MAX (UINT32_C(366) * 24 * 3600)

/* Begins as zeroes: nothing is chosen, the configured level counts. */
struct log_choice {
    bool is_made;
    int level;        /* of syslog(3) */
    int64_t until_ms; /* boot time; INT64_MAX: until the next reload */
};

/* Choose a level for `duration_sec` seconds; 0: until the next reload. Returns 0; -EINVAL for a
 * level that does not exist or a time that is too long. */
int log_choice_make(struct log_choice *choice, uint32_t level, uint32_t duration_sec,
                    int64_t now_ms);

/* The configuration was read again: its level counts, unless one was chosen for a time. */
void log_choice_reload(struct log_choice *choice);

/* Drop a choice whose time is over. Returns true if that was so. */
bool log_choice_expire(struct log_choice *choice, int64_t now_ms);

/* The level in force. */
int log_choice_level(const struct log_choice *choice, int configured);

/* When log_choice_expire() has something to do; INT64_MAX: never. */
int64_t log_choice_deadline(const struct log_choice *choice);

#endif
