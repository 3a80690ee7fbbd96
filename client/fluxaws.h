/* fluxaws.h: report the state of a device to its AWS IoT device shadow, through fluxawsd.
 * Does not speak MQTT, hold credentials or talk to the cloud: the daemon does.
 *
 *     struct fluxaws_client *client = NULL;
 *     if (fluxaws_open(&client, NULL) == 0) {
 *         fluxaws_set_double(client, "battery.level", 81.5);
 *         fluxaws_flush(client, FLUXAWS_ACCEPTED, 30000);
 *     }
 *     client = fluxaws_close(client);
 *
 * Results. Every call returns 0 or more when it worked, or a negative errno; what each call can
 * return stands next to it. -ENOMEM is possible wherever something is kept, and not repeated below.
 * fluxaws_strerror() explains a result, fluxaws_error_text() the last failure in particular.
 *
 * Manners. The library links libc only. It starts no thread, touches no signal (a daemon that goes
 * away raises no SIGPIPE), never exits, and prints nothing unless FLUXAWS_DEBUG=1 is set in the
 * environment: then every protocol message is shown on stderr. All its descriptors are
 * close-on-exec.
 *
 * Threads. A handle belongs to one thread at a time; different handles are independent.
 *
 * Blocking. Only what takes a timeout blocks: fluxaws_dispatch(), fluxaws_flush(), fluxaws_get(),
 * fluxaws_get_status(), and fluxaws_open() with `require_daemon`. Everything else returns at once.
 *
 * Callbacks run inside the blocking calls only, never inside a `set`. A callback may report;
 * it must not dispatch, flush, get (-EBUSY) or close.
 *
 * Strings that go in are copied; the caller keeps them. Strings that come out through a callback
 * live until it returns; those that come out through `char **` belong to the caller, who frees them
 * with free(). All text is UTF-8.
 *
 * Compatibility. Functions are only added; structs that cross the border begin with their size. A
 * 1.x client works with every later 1.x daemon, and the reverse. */
#ifndef FLUXAWS_H
#define FLUXAWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* One connection to one daemon, with the values that are not yet safe there. */
struct fluxaws_client;

/* How far a report has come. Levels only rise, and a higher one implies the lower. */
enum fluxaws_level {
    FLUXAWS_QUEUED,  /* the daemon holds it; a newer value of the same property replaces it */
    FLUXAWS_STORED,  /* it is on the device's disk and survives a power cut */
    FLUXAWS_ACCEPTED /* the shadow service accepted it, or a newer value of the same property */
};

/* Settings of a handle. Zero it, set `size` to sizeof (struct fluxaws_options), then what is to
 * differ from the default; a zero means the default. */
struct fluxaws_options {
    size_t size;
    const char *socket_path; /* default: /run/fluxaws/fluxawsd.sock; the environment variable
                                FLUXAWS_SOCKET overrides this and the default */
    const char *name;        /* shown in the daemon's status, at most 64 bytes;
                                default: the name of the program */
    bool require_daemon;     /* fail to open without a running daemon */
    size_t backlog_bytes;    /* room for values that are not yet safe; default 1 MiB */
};

/* ---- Opening and closing ----------------------------------------------------------------------
 */

/* Open a handle. Succeeds without a daemon, so that boot order does not matter: the library
 * connects as soon as there is one, and again after every loss, waiting 100 ms to 5 s between
 * attempts.
 *
 * options: NULL for the defaults; copied.
 * ret_client: written on success only; close it with fluxaws_close().
 * Blocks only with `require_daemon`, at most 5 s, for the daemon's greeting.
 * Returns 0; -EINVAL (bad options); -ENAMETOOLONG (socket path or name too long); -EMFILE and other
 * errors of the system. With `require_daemon` also -ENOENT (no socket), -ECONNREFUSED (nobody
 * listens), -EACCES (no permission on the socket), -EPROTONOSUPPORT (no common protocol version),
 * -ETIMEDOUT (no greeting). */
int fluxaws_open(struct fluxaws_client **ret_client, const struct fluxaws_options *options);

/* Close a handle and free all that belongs to it. Does not wait: what has not been written to the
 * daemon is gone; fluxaws_flush() first if that matters. Reports that the daemon holds stand.
 *
 * client: may be NULL.
 * Returns NULL, for `client = fluxaws_close(client);`. */
struct fluxaws_client *fluxaws_close(struct fluxaws_client *client);

/* ---- Reporting --------------------------------------------------------------------------------
 */

/* A path names a property of the shadow's `reported` state: keys with dots between them
 * ("battery.level"), or with a leading "/", a JSON Pointer (RFC 6901: "/battery/level", `~1` for a
 * slash and `~0` for a tilde in a key). A path has at most 1024 bytes as a pointer; no key is empty
 * or holds a control character. How deep it may be is the daemon's `MaxDepth`: AWS IoT allows 8
 * levels in a shadow (AWS IoT Core quotas, "Maximum depth of JSON device state documents").
 *
 * Each call below is one report. None of them blocks: a report is written at once if the socket
 * takes it; otherwise, and while there is no daemon, the library keeps the newest value of each
 * property and sends it later. It keeps every value until the daemon has it safe (on disk; where
 * the daemon keeps none, accepted by the shadow service) and sends it again if the connection is
 * lost before, marked with its original time, so that a restart of the daemon loses nothing and
 * moves no value backwards.
 *
 * A report is taken whole or not at all. All calls return 0, or
 *   -EINVAL        a path or a JSON text is malformed (fluxaws_error_text() says where)
 *   -EILSEQ        invalid UTF-8
 *   -EDOM          a number that is not finite, or an integer beyond 64 bits
 *   -ENAMETOOLONG  a path is too long or too deep
 *   -E2BIG         a value, or the report as a whole, is larger than the daemon takes
 *   -ENOBUFS       the backlog is full; nothing of this report is kept: dispatch until the daemon
 *                  has taken some, then try again
 * 0 means that the library has taken the report, not that the daemon has: ask for answers, or
 * flush. */
int fluxaws_set_int64(struct fluxaws_client *client, const char *path, int64_t value);
/* 81.5 goes to the cloud as `81.5`: the shortest text that reads back equal. */
int fluxaws_set_double(struct fluxaws_client *client, const char *path, double value);
int fluxaws_set_bool(struct fluxaws_client *client, const char *path, bool value);
int fluxaws_set_string(struct fluxaws_client *client, const char *path, const char *value);
/* Report a JSON value. An object is merged into what is there, key by key; an array replaces what
 * is there whole and may hold no null; null removes the property. (Rules of the shadow service: AWS
 * IoT Developer Guide, "Device Shadow service documents".) */
int fluxaws_set_json(struct fluxaws_client *client, const char *path, const char *json);
/* Remove a property and all below it. */
int fluxaws_unset(struct fluxaws_client *client, const char *path);
/* Report a JSON object, merged into `reported` from the top. An empty object reports nothing and
 * makes no report. */
int fluxaws_report_json(struct fluxaws_client *client, const char *document);

/* Collect what follows into one report: the calls above then only add to it, in order, and nothing
 * leaves before fluxaws_report_send(). The values travel together, are checked together and are
 * refused together. A call that fails while collecting spoils the report.
 *
 * Returns 0; -EALREADY when a report is being collected. */
int fluxaws_report_begin(struct fluxaws_client *client);

/* End collecting and report all of it. An empty report is no report.
 *
 * Returns 0; the error of the first call that failed while collecting, or one of those above:
 * then nothing of the report is kept; -EINVAL without fluxaws_report_begin(). */
int fluxaws_report_send(struct fluxaws_client *client);

/* End collecting and forget all of it. Harmless when nothing is being collected. */
void fluxaws_report_cancel(struct fluxaws_client *client);

/* Choose the shadow that the following reports are for; NULL stands for the default: the daemon's
 * own thing, its classic shadow.
 *
 * thing: 1 to 128 bytes of [a-zA-Z0-9:_-]; shadow: 1 to 64 of [$a-zA-Z0-9:_-] (AWS IoT API
 * reference, CreateThing and UpdateThingShadow).
 * Returns 0; -EINVAL (a name AWS does not allow); -EALREADY while a report is being collected;
 * -EOPNOTSUPP (not yet: this version reports to the default shadow only). */
int fluxaws_use_shadow(struct fluxaws_client *client, const char *thing, const char *shadow);

/* ---- Answers ----------------------------------------------------------------------------------
 */

/* What became of one report, or of several in a row. */
struct fluxaws_answer {
    size_t size;
    uint64_t first_id, last_id; /* all reports from first to last that had not ended; equal for one.
                                   With rejected: at least one of them was refused; they share the
                                   answer because they were merged on their way */
    enum fluxaws_level level;   /* reached, unless rejected */
    bool rejected;              /* refused by the daemon's own check or by the shadow service */
    int64_t version;            /* the shadow's version with ACCEPTED; 0 when not known */
    int code;                   /* rejected: the shadow service's code (400, 413, ...); an errno
                                   number (below 200) for a refusal on the device */
    const char *path;           /* rejected: the property, a JSON Pointer; may be "" */
    const char *text;           /* rejected: the reason in words */
};

typedef void (*fluxaws_answer_callback)(struct fluxaws_client *client,
                                        const struct fluxaws_answer *answer, void *data);

/* Have answers delivered. Every report is answered with the levels that it reaches, at most once
 * each and rising, up to the wanted level (fluxaws_want()); a level may be skipped when a higher
 * one came first. ACCEPTED or a rejection ends a report; a rejection is told whatever level was
 * wanted. After a lost connection a report is answered when its values, or the newer ones that took
 * their place, are.
 *
 * callback: NULL for none; runs in fluxaws_dispatch() and the other blocking calls. A program with
 * a callback must dispatch: beyond about a thousand undelivered answers the library stops reading.
 * data: handed to the callback; the caller owns it.
 * Concerns the reports made after this call. Returns 0. */
int fluxaws_on_answer(struct fluxaws_client *client, fluxaws_answer_callback callback, void *data);

/* Choose up to which level the following reports are answered. The default is FLUXAWS_QUEUED.
 * Asking for FLUXAWS_STORED makes the daemon write to disk sooner than it would by itself.
 *
 * Returns 0; -EINVAL (no such level); -EOPNOTSUPP for FLUXAWS_STORED when the daemon is known to
 * keep nothing on disk (`Mode=volatile`). */
int fluxaws_want(struct fluxaws_client *client, enum fluxaws_level level);

/* The id of the last report that a call took, to be compared with those in an answer: 0 before the
 * first. Ids rise by one or more from report to report and stay valid over reconnects. */
uint64_t fluxaws_last_report_id(struct fluxaws_client *client);

/* Reports with a callback that have not come to the wanted level, nor been rejected. */
uint64_t fluxaws_count_waiting(struct fluxaws_client *client);

/* Send at once and wait until all reports of this handle made before the call (and those that other
 * programs made before) have reached the level. With FLUXAWS_ACCEPTED the daemon does not wait for
 * its update interval.
 *
 * timeout_ms: milliseconds; 0 looks once, negative waits without end.
 * Blocks; runs callbacks; carries on over a lost connection.
 * Returns 0; -ETIMEDOUT (the reports still stand); -EREMOTEIO (a report of this handle was rejected
 * since the last flush; fluxaws_error_text() has the last reason); -EOPNOTSUPP (FLUXAWS_STORED, and
 * the daemon keeps nothing on disk); -EACCES (an access rule forbids it); -EALREADY while a report
 * is being collected; -EBUSY (inside a callback); -EINVAL (no such level). */
int fluxaws_flush(struct fluxaws_client *client, enum fluxaws_level level, int timeout_ms);

/* ---- Reading ----------------------------------------------------------------------------------
 */

/* The sections of a shadow, as AWS IoT names them. */
enum fluxaws_section {
    FLUXAWS_REPORTED, /* what the device reported: the newest values, sent or not */
    FLUXAWS_DESIRED,  /* what the cloud wants; not yet: -EOPNOTSUPP */
    FLUXAWS_DELTA     /* where the two differ; not yet: -EOPNOTSUPP */
};

/* Read what the daemon knows now; the cloud is not asked.
 *
 * path: the part wanted; NULL for all.
 * timeout_ms: milliseconds; negative waits without end.
 * ret_json: gets compact JSON text; free() it; written on success only.
 * Blocks; runs callbacks. Reports made before on this handle are taken into account.
 * Returns 0; -ENOENT (nothing is there); -EINVAL, -EILSEQ, -ENAMETOOLONG (the path); -EACCES (an
 * access rule forbids it); -ETIMEDOUT; -ENOTCONN (the connection was lost meanwhile); -EOPNOTSUPP
 * (a section that the daemon does not serve); -EALREADY, -EBUSY as with fluxaws_flush(). */
int fluxaws_get(struct fluxaws_client *client, enum fluxaws_section section, const char *path,
                int timeout_ms, char **ret_json);

/* Read how the daemon stands: its link, shadows, counters and clients. Otherwise as fluxaws_get().
 */
int fluxaws_get_status(struct fluxaws_client *client, int timeout_ms, char **ret_json);

/* ---- In an event loop -------------------------------------------------------------------------
 */

/* Watch the descriptor for the events with poll() or the like, for at most the timeout; then call
 * fluxaws_dispatch(client, 0). A program without a loop calls fluxaws_dispatch() with a timeout now
 * and then, or just fluxaws_flush(). A program that only ever sets is served too: a `set` does what
 * can be done without waiting, but delivers no answers.
 *
 * The descriptor stays the same for the life of the handle, over reconnects. It is the library's:
 * do not read, write or close it. */
int fluxaws_get_fd(struct fluxaws_client *client);

/* The events to watch for, as poll() has them. */
int fluxaws_get_events(struct fluxaws_client *client);

/* Milliseconds until fluxaws_dispatch() must be called even if the descriptor is quiet; -1: never.
 * Changes with every call on the handle. */
int fluxaws_get_timeout_ms(struct fluxaws_client *client);

/* Do what is due: connect, write what was held back, read all there is, deliver answers.
 *
 * timeout_ms: wait so long for something to do if nothing is due; 0 does not wait, negative waits
 * without end.
 * Returns the number of answers delivered, 0 for none; -EBUSY (inside a callback); errors of the
 * system. A daemon that is not there is no error: see fluxaws_is_connected(). */
int fluxaws_dispatch(struct fluxaws_client *client, int timeout_ms);

/* ---- Finding out ------------------------------------------------------------------------------
 */

/* Tell how the connection stands: 1 greeted by the daemon; 0 on the way; or why the last attempt
 * failed: -ENOENT, -ECONNREFUSED, -EACCES, -EPROTONOSUPPORT (no common protocol version), -EPROTO
 * (what answers there is no fluxawsd, or refused us), -ECONNRESET (lost). */
int fluxaws_is_connected(struct fluxaws_client *client);

/* Say in words what went wrong in the last call that failed on this handle, or with the connection.
 * Borrowed; valid until the next call on the handle; never NULL. */
const char *fluxaws_error_text(struct fluxaws_client *client);

/* Say in words what a result of this library means, in general. Static; never NULL. */
const char *fluxaws_strerror(int error);

/* The version of the library, such as "1.0.0". */
const char *fluxaws_version(void);

typedef void (*fluxaws_log_callback)(int priority, const char *text, void *data);

/* Have changes of the connection told: `priority` is that of syslog(3), `text` a line without its
 * end. There is no handler by default. Runs inside any call; must not call the library.
 * handler: NULL for none. data: handed to the handler; the caller owns it. */
void fluxaws_set_log_handler(struct fluxaws_client *client, fluxaws_log_callback handler,
                             void *data);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
