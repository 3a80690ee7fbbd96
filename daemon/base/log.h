/* Log lines of the daemon: to the journal with structured fields where stderr is a journal stream,
 * as plain text to stderr elsewhere. Does not decide what is worth logging, and never counts or
 * suppresses repeats: callers log on change. */
#ifndef FLUXAWS_BASE_LOG_H
#define FLUXAWS_BASE_LOG_H

#include <stddef.h>
#include <syslog.h> /* LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG */

/* One structured field of a line. Shown in the journal only; text output leaves it away. */
struct log_field {
    const char *name;  /* upper case, as journald wants it: "THING"; borrowed */
    const char *value; /* NUL-terminated, at most LOG_FIELD_BYTES_MAX bytes are kept; borrowed */
};

#define LOG_FIELDS_MAX      12u
#define LOG_FIELD_BYTES_MAX 256u
#define LOG_TEXT_BYTES_MAX  1024u

/* Set the level: lines of a lower importance are dropped. The one mutable global of the daemon;
 * any thread may call. The default is LOG_INFO. */
void log_set_level(int level);
int log_level(void);

/* Translate a name of fluxawsd.conf (error, warning, notice, info, debug). Returns 0 or -EINVAL. */
int log_level_parse(const char *name, int *ret_level);
const char *log_level_name(int level);

/* Log one line of at most LOG_TEXT_BYTES_MAX bytes with `field_count` structured fields (those
 * beyond LOG_FIELDS_MAX are left away). A field named MESSAGE_ID marks what operators search.
 * Thread-safe; keeps errno. Control characters are replaced, so that nothing from outside can forge
 * a line. No values, keys or secrets above LOG_DEBUG. */
void log_event(int level, const struct log_field *fields, size_t field_count, const char *format,
               ...) __attribute__((format(printf, 4, 5)));

#define log_error(...)   log_event(LOG_ERR, NULL, 0, __VA_ARGS__)
#define log_warning(...) log_event(LOG_WARNING, NULL, 0, __VA_ARGS__)
#define log_notice(...)  log_event(LOG_NOTICE, NULL, 0, __VA_ARGS__)
#define log_info(...)    log_event(LOG_INFO, NULL, 0, __VA_ARGS__)
#define log_debug(...)   log_event(LOG_DEBUG, NULL, 0, __VA_ARGS__)

#endif
