/* The configuration: every key with its default, its bounds and where its value came from.
 * Pure: does not read files (config_file.h) and does not know what a value is used for. */
#ifndef FLUXAWS_CONFIG_H
#define FLUXAWS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_id {
    CONFIG_THING_NAME,
    CONFIG_THING_NAME_FROM,
    CONFIG_THING_EXTRA,
    CONFIG_ENDPOINT,
    CONFIG_PORT,
    CONFIG_CLIENT_ID,
    CONFIG_PROTOCOL,
    CONFIG_KEEP_ALIVE_SEC,
    CONFIG_CONNECT_TIMEOUT_MS,
    CONFIG_BACKOFF_MIN_MS,
    CONFIG_BACKOFF_MAX_MS,
    CONFIG_CA_FILE,
    CONFIG_CERTIFICATE_FILE,
    CONFIG_PRIVATE_KEY,
    CONFIG_PROXY,
    CONFIG_INTERVAL_MS,
    CONFIG_BURST,
    CONFIG_RESPONSE_TIMEOUT_MS,
    CONFIG_MAX_DOCUMENT_BYTES,
    CONFIG_MAX_DEPTH,
    CONFIG_MAX_SHADOWS,
    CONFIG_MAX_SUBSCRIPTIONS,
    CONFIG_REQUESTS_PER_SEC,
    CONFIG_MESSAGES_PER_SEC,
    CONFIG_REFRESH_SEC,
    CONFIG_DAILY_OPERATIONS,
    CONFIG_STOP_TIMEOUT_MS,
    CONFIG_STORAGE_MODE,
    CONFIG_STORAGE_DIRECTORY,
    CONFIG_SYNC_INTERVAL_MS,
    CONFIG_STORAGE_MAX_BYTES,
    CONFIG_SOCKET_PATH,
    CONFIG_SOCKET_MODE,
    CONFIG_SOCKET_GROUP,
    CONFIG_MAX_CLIENTS,
    CONFIG_MAX_CLIENTS_PER_USER,
    CONFIG_MAX_FRAME_BYTES,
    CONFIG_GONE_AFTER_MS,
    CONFIG_LOG_LEVEL,
    CONFIG_ID_COUNT,
};

enum config_type {
    CONFIG_TEXT,
    CONFIG_HOST,      /* a host's name or address, without scheme and port */
    CONFIG_SOCKET,    /* an absolute path that fits a Unix socket */
    CONFIG_DIRECTORY, /* an absolute path, or empty */
    CONFIG_NUMBER,    /* decimal, with bounds */
    CONFIG_OCTAL,     /* a file mode */
    CONFIG_CHOICE,    /* one of a few words; the number is its place in the list */
    CONFIG_PROXY_URL, /* http://[user:password@]host:port: a secret; or empty */
    CONFIG_THINGS,    /* names of things, or `prefix-*`, separated by blanks or commas */
};

/* When a key that was changed counts after a reload. */
enum config_reload {
    CONFIG_RELOAD_AT_ONCE,
    CONFIG_RELOAD_ATTEMPT, /* with the next attempt to connect */
    CONFIG_RELOAD_CLIENTS, /* for programs that connect from then on */
    CONFIG_RELOAD_DIALS,   /* at once: the link is dialled anew */
    CONFIG_RELOAD_RESTART, /* when the daemon is started again */
};
/* The same for people. */
const char *config_reload_name(enum config_reload reload);

/* libinih cuts longer lines; config_file.c refuses them before. */
#define CONFIG_TEXT_MAX        190
#define CONFIG_SOCKET_PATH_MAX 107

struct config_key {
    const char *section;
    const char *name;
    const char *value; /* the default */
    enum config_type type;
    int64_t min, max;           /* numbers: bounds; texts: at most `max` bytes */
    const char *const *choices; /* NULL-terminated */
};

enum config_severity {
    CONFIG_NOTE,      /* good to know, and no mistake */
    CONFIG_UNKNOWN,   /* no such section or key: an error for --check-config, else a warning */
    CONFIG_BAD_PLACE, /* as it stands now, the state or the socket cannot be there */
    CONFIG_BAD_VALUE, /* the default is used; status says degraded */
    CONFIG_UNPARSED,  /* a line or file that cannot be understood */
    CONFIG_MISSING,   /* a value without which the daemon cannot run */
};

struct config_problem {
    enum config_severity severity;
    char *file;    /* owned; NULL where no file is to blame */
    unsigned line; /* 0: the file as a whole */
    char *text;    /* owned */
};

struct config_value {
    char *text; /* owned, as written, or the default */
    int64_t number;
    char *file; /* owned; NULL: the default */
    unsigned line;
};

struct config_property; /* a section [Property GLOB]; config_property.h */
struct config_access;   /* a section [Access NAME]; config_access.h */

struct config {
    struct config_value values[CONFIG_ID_COUNT];
    struct config_value earlier_name;   /* the last [Thing] Name but one that can be a thing's */
    struct config_property *properties; /* owned; in the order they were read */
    size_t property_count;
    struct config_access *accesses; /* owned; in the order they were read */
    size_t access_count;
    bool in_access;                  /* the section begun last is one of these */
    struct config_problem *problems; /* owned; at most CONFIG_PROBLEMS_MAX, further ones fold */
    size_t problem_count;
    bool has_access; /* one was seen, be it malformed: only what they grant is granted */
};

#define CONFIG_PROBLEMS_MAX 64u

/* Tell about one key; `id` below CONFIG_ID_COUNT. */
const struct config_key *config_key(enum config_id id);
enum config_reload config_reload(enum config_id id);

/* Fill in all defaults. Returns 0, or -ENOMEM with nothing to clear. */
int config_init(struct config *ret_config);
void config_clear(struct config *config);

/* Take one `name=value` of `section`, found in `file` at `line` (copied). What is wrong with it
 * becomes a problem and the key falls back to its default; Endpoint, which has none, to what it was
 * before. Returns 0 or -ENOMEM. */
int config_set(struct config *config, const char *section, const char *name, const char *value,
               const char *file, unsigned line);

/* Take the head of a section, so that an unknown one is named even where it is empty. Returns 0 or
 * -ENOMEM. */
int config_begin_section(struct config *config, const char *section, const char *file,
                         unsigned line);

/* A file ends, or a section's head in it cannot be read: what follows belongs to no section. */
void config_end_section(struct config *config);

/* A line cannot be used, which has been told: where it may say who may do what, the section that it
 * stands in grants nothing. */
void config_spoil_section(struct config *config);

/* Record a problem; `file` may be NULL. Returns 0 or -ENOMEM. */
int config_add_problem(struct config *config, enum config_severity severity, const char *file,
                       unsigned line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Check what only the whole can tell: bounds between keys, required values (the thing's name is
 * checked where it is found out, config_name.h). Returns 0 or -ENOMEM. */
int config_finish(struct config *config);

/* The value of a key: as text (never NULL), or as the number it stands for. */
const char *config_text(const struct config *config, enum config_id id);
int64_t config_number(const struct config *config, enum config_id id);

/* Names that one key can hold. */
#define CONFIG_WORDS_MAX 96u
/* Cut a text at blanks and commas into words. Returns their number; they lie in `buffer`, which
 * takes the whole text. */
size_t config_split(const char *text, char *buffer, size_t size,
                    const char *ret_words[static CONFIG_WORDS_MAX]);

/* Tell whether a file has set the key. */
bool config_is_set(const struct config *config, enum config_id id);

/* Go back to the last [Thing] Name before the one in force that can be a thing's: there is one
 * where `earlier_name.text` is not NULL. */
void config_use_earlier_name(struct config *config);

/* Tell whether a value had to be replaced by its default or a line could not be used. */
bool config_is_degraded(const struct config *config);

/* Tell whether there is a problem of this severity. */
bool config_has_problem(const struct config *config, enum config_severity severity);

#endif
