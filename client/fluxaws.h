/* fluxaws.h: keep a device and its AWS IoT device shadow in line, through fluxawsd: report what is,
 * hear what the cloud wants. Does not speak MQTT, hold credentials or talk to the cloud: the daemon
 * does.
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
 * Blocking. Only what takes a timeout blocks: fluxaws_dispatch(), fluxaws_flush(), the calls that
 * read, clean up or operate (fluxaws_get() and those after it), and fluxaws_open() with
 * `require_daemon`.
 * Everything else returns at once.
 *
 * Callbacks run inside the blocking calls only, never inside a `set`. A callback may report, choose
 * a shadow, watch and unwatch; it must not dispatch, flush, get (-EBUSY) or close.
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

/* ---- Opening and closing --------------------------------------------------- */

/* Open a handle. Succeeds without a daemon, so that boot order does not matter: the library
 * connects as soon as there is one, and after every loss, 100 ms to 5 s between attempts.
 *
 * options: NULL for the defaults; copied.
 * ret_client: written on success only; close it with fluxaws_close().
 * Blocks only with `require_daemon`, at most 5 s: for the greeting of a daemon, or its restart.
 * Returns 0; -EINVAL (bad options); -ENAMETOOLONG (socket path or name too long); -EMFILE and other
 * errors of the system. With `require_daemon` also -ENOENT (no socket), -ECONNREFUSED (nobody
 * listens), -EACCES (no permission on the socket), -EPROTONOSUPPORT (no common protocol version),
 * -ETIMEDOUT (no greeting). */
int fluxaws_open(struct fluxaws_client **ret_client, const struct fluxaws_options *options);

/* Close a handle and free all that belongs to it. Does not wait: what has not been written to the
 * daemon is gone; fluxaws_flush() first if that matters. Reports that the daemon holds stand. The
 * daemon is told that this is a clean end, so that a will (fluxaws_will_json()) is not reported; a
 * program that ends without closing leaves its will behind.
 *
 * client: may be NULL. Not from within a callback.
 * Returns NULL, for `client = fluxaws_close(client);`. */
struct fluxaws_client *fluxaws_close(struct fluxaws_client *client);

/* ---- Reporting ------------------------------------------------------------- */

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
/* Settle a wish: remove what the cloud wants (`desired`) at and below `path`, as far as the daemon
 * knows it when the report arrives. Together with a value in one report (fluxaws_report_begin()) it
 * says "done", alone "no". The values and the removal travel in one update that carries the
 * shadow's version: a newer wish of the cloud wins and is delivered. Where nothing is wished
 * nothing is sent for it. This is the only call that touches `desired`.
 *
 * path: NULL for all that is wished.
 * The report is ACCEPTED once its values are in the cloud and the wish is gone or a newer one has
 * taken its place. Sent again after a lost connection, it settles only what was known when it was
 * made. */
int fluxaws_settle(struct fluxaws_client *client, const char *path);
/* Report a JSON object, merged into `reported` from the top. An empty object reports nothing and
 * makes no report. */
int fluxaws_report_json(struct fluxaws_client *client, const char *document);
/* Make what is reported at `path` be exactly this: keys that the document lacks are removed, also
 * those that others wrote; what was equal costs nothing. One report, never split: the shadow does
 * not show half of it.
 *
 * path: NULL for all that is reported; the document must then be a JSON object (`{}`: report
 * nothing at all any more). With a path it may be any JSON value; null removes the property.
 * Also -EMSGSIZE: the document does not fit into one frame of the daemon (its `MaxFrameBytes`). */
int fluxaws_replace_json(struct fluxaws_client *client, const char *path, const char *document);

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

/* Choose the shadow that the calls after this one are about, until the next call: reports, watches,
 * wills, reading and cleaning up. NULL stands for the default: the daemon's own thing, its classic
 * shadow. Going back and forth between shadows costs nothing; their reports keep their order.
 *
 * The daemon is asked in the background whether it serves the shadow. If it does not (no such thing
 * in its `[Thing] Extra`, an access rule, too many shadows), then reports to this shadow are
 * rejected with the reason, calls that wait for an answer fail with it, and all other shadows of
 * the handle go on. The daemon is asked again after each new connection, and when a refused shadow
 * is chosen anew.
 *
 * thing: 1 to 128 bytes of [a-zA-Z0-9:_-]; shadow: 1 to 64 of [$a-zA-Z0-9:_-] (AWS IoT API
 * reference, CreateThing and UpdateThingShadow). Copied.
 * At most 64 shadows a handle, the default one included; they are kept until it is closed.
 * Returns 0; -EINVAL (a name AWS does not allow); -EALREADY while a report is being collected;
 * -ENOSPC (more than 64 shadows: open another handle). */
int fluxaws_use_shadow(struct fluxaws_client *client, const char *thing, const char *shadow);

/* Leave a will for the shadow in use: what the daemon is to report if this program's connection
 * ends without fluxaws_close() and does not come back within the daemon's `[Socket] GoneAfterMs`
 * (10 s). It is reported as this program's own report would be. A new will replaces the one before;
 * the library leaves it again after a lost connection.
 *
 * document: a JSON object, as for fluxaws_report_json(); null in it removes. NULL or `{}`: no will.
 * Returns 0 when the library has taken it; -EINVAL, -EILSEQ, -EDOM, -ENAMETOOLONG as with a report;
 * -EMSGSIZE (larger than a frame of the daemon); -EALREADY while a report is being collected. A
 * daemon that refuses the will says so to the log handler and to the next fluxaws_flush(). */
int fluxaws_will_json(struct fluxaws_client *client, const char *document);

/* ---- Answers --------------------------------------------------------------- */

/* What became of one report, or of several in a row. */
struct fluxaws_answer {
    size_t size;
    uint64_t first_id, last_id; /* all reports to this shadow from first to last that had not
                                   ended; equal for one. With rejected: at least one of them was
                                   refused; they share the answer because they were merged on their
                                   way */
    enum fluxaws_level level;   /* reached, unless rejected */
    bool rejected;              /* refused by the daemon's own check or by the shadow service */
    int64_t version;            /* the shadow's version with ACCEPTED; 0 when not known */
    int code;                   /* rejected: the shadow service's code (400, 413, ...); an errno
                                   number (below 200) for a refusal on the device */
    const char *path;           /* rejected: the property, a JSON Pointer; may be "" */
    const char *text;           /* rejected: the reason in words */
    const char *thing, *shadow; /* as given to fluxaws_use_shadow(); NULL: the default */
    bool deadband;              /* with ACCEPTED: a value was so near to the cloud's that nothing
                                   was sent (`[Property] Deadband`); the cloud shows its own */
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
 * Asking for FLUXAWS_STORED makes the daemon write to disk sooner than it would by itself; where
 * that is done within 20 ms, FLUXAWS_QUEUED is not told of its own.
 *
 * Returns 0; -EINVAL (no such level); -EOPNOTSUPP for FLUXAWS_STORED when the daemon is known to
 * keep nothing on disk (`Mode=volatile`). */
int fluxaws_want(struct fluxaws_client *client, enum fluxaws_level level);

/* The id of the last report that a call took, to be compared with those in an answer: 0 before the
 * first. Ids rise by one or more from report to report and stay valid over reconnects. */
uint64_t fluxaws_last_report_id(struct fluxaws_client *client);

/* Reports with a callback, to any shadow, that have not come to the wanted level, nor been
 * rejected. 0 if and only if there is none; with more than a thousand waiting on several shadows
 * the number itself may be a little off. */
uint64_t fluxaws_count_waiting(struct fluxaws_client *client);

/* Send at once and wait until all reports of this handle made before the call, to whatever shadow
 * (and those that other programs made before), have reached the level. With FLUXAWS_ACCEPTED the
 * daemon does not wait for its update interval, but at most every quarter of it (`IntervalMs`/4).
 *
 * timeout_ms: milliseconds; 0 looks once, negative waits without end.
 * Blocks; runs callbacks; carries on over a lost connection.
 * Returns 0; -ETIMEDOUT (the reports still stand); -EREMOTEIO (a report of this handle was rejected
 * since the last flush; fluxaws_error_text() has the last reason); -EOPNOTSUPP (FLUXAWS_STORED, and
 * the daemon keeps nothing on disk); -EACCES (an access rule forbids it); -EALREADY while a report
 * is being collected; -EBUSY (inside a callback); -EINVAL (no such level). */
int fluxaws_flush(struct fluxaws_client *client, enum fluxaws_level level, int timeout_ms);

/* ---- What the cloud wants -------------------------------------------------- */

/* A wish: a value in the shadow's `desired` that differs from what the device reports. Or the news
 * that a wish told before is none any more. */
struct fluxaws_desired {
    size_t size;
    const char *thing, *shadow; /* as given to fluxaws_use_shadow(); NULL: the default */
    const char *path;           /* of the value, a JSON Pointer */
    const char *json;           /* the value as compact JSON; NULL: it no longer differs, because
                                   the device reports it now, or the cloud has withdrawn it */
    int64_t version;            /* of the shadow */
    bool stale;                 /* known from before the link was lost, and not confirmed since: the
                                   cloud may want something else by now */
    int error;                  /* 0; else the daemon refused the watch (a negative errno, such as
                                   -EACCES): `path` is the watch's own, `json` NULL */
    const char *text;           /* with an error: the reason in words; else "" */
};

typedef void (*fluxaws_desired_callback)(struct fluxaws_client *client,
                                         const struct fluxaws_desired *desired, void *data);

/* Have the wishes of the shadow in use delivered that are at or below a path (or above it, where an
 * array or a plain value is wished that would replace what the path names). What differs now is
 * delivered at once, then every change; a program that does not dispatch for a while finds the
 * newest value of each path, never what was in between. Versions never go down, unless the shadow
 * was deleted and made anew.
 *
 * The library watches again after a lost connection, and then tells only what has changed
 * meanwhile. To that end it remembers what it told, within 1 MiB a handle; beyond that a wish may
 * be told twice, and its end not at all. Nothing is reported unless the program does: after acting
 * on a wish, report the new value, and mostly settle it (fluxaws_settle()).
 *
 * A watch that the daemon refuses is told once by an answer with `error` set, and asked for again
 * with each new connection.
 *
 * path: NULL for all.
 * callback: runs in fluxaws_dispatch() and the other blocking calls. data: handed to the callback;
 * the caller owns it.
 * At most 64 watches a handle. Does not block.
 * Returns the watch's id, at least 1; -EINVAL, -EILSEQ, -ENAMETOOLONG (the path; no callback);
 * -ENOSPC (too many watches). */
int fluxaws_watch(struct fluxaws_client *client, const char *path,
                  fluxaws_desired_callback callback, void *data);

/* End a watch; its callback is not called again.
 *
 * Returns 0; -ENOENT (there is no such watch). */
int fluxaws_unwatch(struct fluxaws_client *client, int id);

/* ---- Reading --------------------------------------------------------------- */

/* The sections of a shadow, as AWS IoT names them. */
enum fluxaws_section {
    FLUXAWS_REPORTED, /* what the device reported: the newest values, sent or not */
    FLUXAWS_DESIRED,  /* what the cloud wants */
    FLUXAWS_DELTA     /* the part of desired that differs from reported */
};

/* Read what the daemon knows now of the shadow in use; the cloud is not asked.
 *
 * path: the part wanted; NULL for all.
 * timeout_ms: milliseconds; negative waits without end.
 * ret_json: gets compact JSON text; free() it; written on success only.
 * Blocks; runs callbacks. Reports made before on this handle are taken into account.
 * Returns 0; -ENOENT (nothing is there); -EINVAL, -EILSEQ, -ENAMETOOLONG (the path); -EACCES (an
 * access rule forbids it, or the shadow); -ETIMEDOUT; -ENOTCONN (the connection was lost meanwhile:
 * ask again); -EOPNOTSUPP (an older daemon that does not know the question); -EALREADY, -EBUSY as
 * with fluxaws_flush(). */
int fluxaws_get(struct fluxaws_client *client, enum fluxaws_section section, const char *path,
                int timeout_ms, char **ret_json);

/* Read all there is to know of the properties at and below a path: value, where it stands on its
 * way to the cloud, who reported it and when. `ret_json` gets a JSON array with an object a
 * property; fluxctl(1) lists its fields under `keys`. Otherwise as fluxaws_get(). */
int fluxaws_get_keys(struct fluxaws_client *client, const char *path, int timeout_ms,
                     char **ret_json);

/* Read how the daemon stands: link, shadows, counters, clients. Otherwise as fluxaws_get(). */
int fluxaws_get_status(struct fluxaws_client *client, int timeout_ms, char **ret_json);

/* ---- Cleaning up ----------------------------------------------------------- */

/* Forget properties of the shadow in use on the device, and leave the cloud as it is: the daemon
 * drops what it holds at and below the path, sent or not, and no longer sets it back when others
 * change it. The library forgets it too.
 *
 * path: NULL for all.
 * Blocks; runs callbacks. Returns 0; -ENOENT (nothing is held there); else as fluxaws_get(). */
int fluxaws_forget(struct fluxaws_client *client, const char *path, int timeout_ms);

/* Take back all that this device reported: everything it is known to have reported becomes null in
 * the shadow, and then the daemon forgets it. What others wrote stays. Waits until the shadow
 * service has accepted that, so a link is needed.
 *
 * all: every shadow of the daemon; else the shadow in use.
 * Blocks; runs callbacks. Returns 0; -ETIMEDOUT (the daemon goes on with it); -EREMOTEIO (the
 * shadow service refused); otherwise as fluxaws_get(). */
int fluxaws_reset(struct fluxaws_client *client, bool all, int timeout_ms);

/* ---- Operating the daemon --------------------------------------------------- */

/* For tools of operators. Where access rules are configured, all but fluxaws_get_history() take the
 * admin right (-EACCES; fluxaws_error_text() names the rule). Otherwise as fluxaws_get().
 *
 * Have configuration and credentials read again. Returns 0; -EINVAL (refused: the old configuration
 * stays in force, and fluxaws_error_text() says where the mistake is).
 * ret_json: NULL, or as fluxaws_get(): an object of lists of texts, which fluxctl(1) explains. */
int fluxaws_reload(struct fluxaws_client *client, int timeout_ms, char **ret_json);

/* Have the link dropped, if it is up, and dialled anew. Returns 0; -ENETDOWN (it is paused). */
int fluxaws_reconnect(struct fluxaws_client *client, int timeout_ms);

/* Have the link hung up, and nothing dialled or sent until fluxaws_resume() or a restart of the
 * daemon. Reports are taken as ever, and stored. Returns 0 also where it was so before. */
int fluxaws_pause(struct fluxaws_client *client, int timeout_ms);
int fluxaws_resume(struct fluxaws_client *client, int timeout_ms);

/* Have the daemon log from this level on: error, warning, notice, info or debug.
 *
 * duration_sec: until the configured level counts again, over reloads, at most 366 days; 0: until
 * the next reload. A restart ends both. Returns 0; -EINVAL (no such level or time). */
int fluxaws_set_log_level(struct fluxaws_client *client, const char *level, unsigned duration_sec,
                          int timeout_ms);

/* Read the last events of the link: when it came up, was lost, was tried in vain, and why;
 * fluxctl(1) lists the fields under `history`. */
int fluxaws_get_history(struct fluxaws_client *client, int timeout_ms, char **ret_json);

/* ---- In an event loop ------------------------------------------------------ */

/* Watch the descriptor for the events with poll() or the like, for at most the timeout; then call
 * fluxaws_dispatch(client, 0). A program without a loop calls fluxaws_dispatch() with a timeout now
 * and then, or just fluxaws_flush(). A program that only ever sets is served too: a `set` does what
 * can be done without waiting, but delivers no answers.
 *
 * The descriptor stays the same for the life of the handle, over reconnects. It is the library's:
 * do not read, write or close it. */
int fluxaws_get_fd(struct fluxaws_client *client);
int fluxaws_get_events(struct fluxaws_client *client); /* as poll() has them */

/* Milliseconds until fluxaws_dispatch() must be called even if the descriptor is quiet; -1: never.
 * Changes with every call on the handle. */
int fluxaws_get_timeout_ms(struct fluxaws_client *client);

/* Do what is due: connect, write what was held back, read all there is, deliver answers.
 *
 * timeout_ms: wait so long for something to do if nothing is due; 0 does not wait, negative waits
 * without end.
 * Returns the number of answers and wishes delivered, 0 for none; -EBUSY (inside a callback);
 * errors of the system. A daemon that is not there is no error: see fluxaws_is_connected(). */
int fluxaws_dispatch(struct fluxaws_client *client, int timeout_ms);

/* ---- Finding out ----------------------------------------------------------- */

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
