#include "daemon/ipc/session_private.h"

#include "proto/utf8.h"
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_BYTES 16384u

int session_new(struct session **ret_session, struct session_host *host,
                const struct session_peer *peer)
{
    struct session *session = calloc(1, sizeof(*session));
    if (!session)
        return -ENOMEM;
    session->host = host;
    struct shadow *shadow;
    int r = session_note_peer(session, peer);
    if (r == 0)
        r = thing_open_shadow(host->thing, NULL, NULL, &shadow);
    if (r == 0) {
        r = session_bind(session, 0, shadow);
        if (r < 0)
            thing_close_shadow(host->thing, shadow);
    }
    if (r < 0) {
        session_clear_peer(session);
        free(session);
        return r;
    }
    *ret_session = session;
    return 0;
}

struct session *session_free(struct session *session, int64_t now_ms)
{
    if (!session)
        return NULL;
    session_end_stream(session);
    session_clear_watches(session);
    session_clear_flushes(session);
    session_clear_resets(session);
    session_clear_bindings(session);
    session_close_writer(session, now_ms);
    session_clear_peer(session);
    free(session->input.data);
    free(session->output.data);
    free(session);
    return NULL;
}

/* Tell whether messages may be handled now: one at a time waits for its answer to be taken. */
static bool session_can_work(const struct session *session)
{
    return (session->state == SESSION_GREETING || session->state == SESSION_OPEN) &&
           !session->stream.text && session->question.kind == SESSION_ASKS_NOTHING &&
           !session_output_is_full(session);
}

/* What the client was told counts for its connection, whatever a reload says meanwhile. */
uint32_t session_frame_max(const struct session *session)
{
    return session->max_frame_bytes > 0 ? session->max_frame_bytes : session->host->max_frame_bytes;
}

/* Look at the next complete frame. Returns its size, 0, or why it is none. */
static int session_peek(const struct session *session, struct flux_frame *ret_frame)
{
    const struct session_buffer *input = &session->input;
    if (input->begin == input->end)
        return 0;
    return flux_frame_next(input->data + input->begin, input->end - input->begin,
                           session_frame_max(session), ret_frame);
}

size_t session_input_space(struct session *session, void **ret_space)
{
    if (!session_can_work(session) || session->input_ended)
        return 0;
    struct session_buffer *input = &session->input;
    if (input->begin > 0) {
        memmove(input->data, input->data + input->begin, input->end - input->begin);
        input->end -= input->begin;
        input->begin = 0;
    }
    if (input->end == input->capacity) {
        size_t capacity = input->capacity ? input->capacity * 2 : INPUT_BYTES;
        if (capacity > session_frame_max(session) && input->capacity > 0)
            capacity = session_frame_max(session);
        if (capacity <= input->capacity)
            return 0; /* a whole frame is there and waits to be handled */
        uint8_t *data = realloc(input->data, capacity);
        if (!data) {
            session->state = SESSION_BROKEN;
            return 0;
        }
        input->data = data;
        input->capacity = capacity;
    }
    *ret_space = input->data + input->end;
    return input->capacity - input->end;
}

void session_receive(struct session *session, size_t size)
{
    assert(size <= session->input.capacity - session->input.end);
    session->input.end += size;
}

void session_end_input(struct session *session)
{
    session->input_ended = true;
    session_put_all_held(session); /* it would end without an answer */
}

void session_say_goodbye(struct session *session, enum flux_goodbye_code code, const char *format,
                         ...)
{
    if (session->state == SESSION_CLOSING || session->state == SESSION_BROKEN)
        return;
    session_end_batch(session);
    session_put_all_held(session);
    char text[SESSION_TEXT_MAX + 1];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    session->host->counters.goodbyes++;
    dismissals_add(&session->host->dismissals, code, session->uid, session->pid, session->name,
                   session->unit, text);
    session_end_stream(session);
    session_put_goodbye(session, code, text);
    if (session->state != SESSION_BROKEN)
        session->state = SESSION_CLOSING;
}

static void session_hello(struct session *session, const struct flux_frame *frame, int64_t now_ms)
{
    struct flux_hello hello;
    if (frame->type != FLUX_MESSAGE_HELLO) {
        session_say_goodbye(session, FLUX_GOODBYE_UNEXPECTED,
                            "the first message must be HELLO, not %s (0x%02x)",
                            flux_message_name(frame->type), frame->type);
        return;
    }
    if (flux_hello_decode(frame, &hello) < 0) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed HELLO");
        return;
    }
    if (hello.min_version > FLUX_PROTOCOL_VERSION_MAX ||
        hello.max_version < FLUX_PROTOCOL_VERSION_MIN) {
        session_say_goodbye(session, FLUX_GOODBYE_VERSION,
                            "no common protocol version: this fluxawsd " FLUX_VERSION
                            " speaks %u to %u, the client %u to %u",
                            FLUX_PROTOCOL_VERSION_MIN, FLUX_PROTOCOL_VERSION_MAX, hello.min_version,
                            hello.max_version);
        return;
    }
    const bool is_name = hello.name.size <= FLUX_CLIENT_NAME_MAX &&
                         flux_utf8_is_valid(hello.name.text, hello.name.size);
    (void)snprintf(session->name, sizeof(session->name), "%.*s", is_name ? (int)hello.name.size : 1,
                   is_name ? hello.name.text : "?");
    if (session_open_writer(session, now_ms) < 0) {
        session->state = SESSION_BROKEN;
        return;
    }
    session->state = SESSION_OPEN;
    session->only_asks = session->host->is_ending;
    session_put_welcome(session, hello.max_version < FLUX_PROTOCOL_VERSION_MAX
                                     ? hello.max_version
                                     : FLUX_PROTOCOL_VERSION_MAX);
}

/* Handle one that is no report. Returns what it counts against the share of a turn. */
static size_t session_request(struct session *session, const struct flux_frame *frame,
                              int64_t now_ms)
{
    switch (frame->type) {
    case FLUX_MESSAGE_OPEN_SHADOW:
        session_request_shadow(session, frame);
        return 1;
    case FLUX_MESSAGE_GET:
        return session_request_get(session, frame);
    case FLUX_MESSAGE_STATUS:
        session_request_status(session, frame);
        return 1;
    case FLUX_MESSAGE_HISTORY:
        session_request_history(session, frame);
        return 1;
    case FLUX_MESSAGE_ADMIN:
        session_request_admin(session, frame);
        return 1;
    case FLUX_MESSAGE_FLUSH:
        session_request_flush(session, frame, now_ms);
        return 1;
    case FLUX_MESSAGE_WATCH:
        session_request_watch(session, frame);
        return 1;
    case FLUX_MESSAGE_UNWATCH:
        session_request_unwatch(session, frame);
        return 1;
    case FLUX_MESSAGE_KEYS:
        return session_request_keys(session, frame, now_ms);
    case FLUX_MESSAGE_FORGET:
        return session_request_forget(session, frame, now_ms);
    case FLUX_MESSAGE_RESET:
        return session_request_reset(session, frame, now_ms);
    case FLUX_MESSAGE_WILL:
        return session_request_will(session, frame);
    case FLUX_MESSAGE_BYE:
        session_request_bye(session, frame);
        return 1;
    case FLUX_MESSAGE_HELLO:
        session_say_goodbye(session, FLUX_GOODBYE_UNEXPECTED, "a second HELLO");
        return 1;
    default:
        if (!(frame->flags & FLUX_FRAME_IGNORABLE))
            session_say_goodbye(session, FLUX_GOODBYE_UNKNOWN,
                                "message type 0x%02x is not known to fluxawsd " FLUX_VERSION,
                                frame->type);
        return 1;
    }
}

/* What changes nothing and waits for nothing: it is answered to the end. */
static bool is_question(const struct flux_frame *frame)
{
    return frame->type == FLUX_MESSAGE_STATUS || frame->type == FLUX_MESSAGE_HISTORY ||
           frame->type == FLUX_MESSAGE_BYE;
}

/* Handle one message. Returns what it counts against the share of a turn. */
static size_t session_handle(struct session *session, const struct flux_frame *frame,
                             int64_t now_ms, int64_t now_us)
{
    if (session->state == SESSION_GREETING) {
        session_hello(session, frame, now_ms);
        return 1;
    }
    if (session->only_asks && !is_question(frame)) {
        session_say_goodbye(session, FLUX_GOODBYE_STOPPING, "fluxawsd stops");
        return 1;
    }
    if (frame->type == FLUX_MESSAGE_REPORT)
        return 1 + session_report(session, frame, now_ms, now_us);
    session_end_batch(session);
    session_put_all_held(session); /* answers keep the order of what they answer */
    return session_request(session, frame, now_ms);
}

static void session_refuse_frame(struct session *session, int error)
{
    if (error == -EMSGSIZE)
        session_say_goodbye(session, FLUX_GOODBYE_TOO_LONG,
                            "a frame is longer than the %u bytes of MaxFrameBytes",
                            session_frame_max(session));
    else if (session->input.data[session->input.begin] == '{')
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED,
                            "JSON lines are not spoken on this socket yet");
    else
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED,
                            "these bytes are no frame of the fluxaws protocol");
}

void session_work(struct session *session, int64_t now_ms, int64_t now_us)
{
    size_t bytes = 0, operations = 0;
    session->now_ms = now_ms;
    session_put_stream(session);
    while (session_can_work(session)) {
        struct flux_frame frame;
        const int size = session_peek(session, &frame);
        if (size < 0)
            session_refuse_frame(session, size);
        if (size <= 0 || bytes >= SESSION_TURN_BYTES || operations >= SESSION_TURN_OPERATIONS)
            break;
        operations += session_handle(session, &frame, now_ms, now_us);
        session->host->counters.messages++;
        session->input.begin += (size_t)size;
        bytes += (size_t)size;
        session_put_stream(session);
        if (session->said_bye)
            session->input.begin = session->input.end; /* that was the last message */
    }
    session_end_batch(session);
    if (session->input.begin == session->input.end) {
        session->input.begin = 0;
        session->input.end = 0;
    }
}

bool session_has_work(const struct session *session)
{
    if (session_output_is_full(session))
        return false;
    struct flux_frame frame;
    return session->settle_again || session->stream.text ||
           (session_can_work(session) && session_peek(session, &frame) != 0);
}

void session_settle(struct session *session)
{
    session->settle_again = false;
    if (session->state != SESSION_OPEN)
        return;
    if (!session_output_is_full(session))
        session_settle_bindings(session);
    /* DONE comes behind the answers that it sums up. */
    if (!session_output_is_full(session) && session->flush_count > 0)
        session_settle_flushes(session);
    if (!session_output_is_full(session) && session->reset_count > 0)
        session_settle_resets(session);
    if (!session_output_is_full(session) && session->watch_count > 0)
        session_settle_watches(session);
    session->settle_again = session_output_is_full(session);
}

bool session_is_finished(const struct session *session)
{
    const bool is_silent = session->output.begin == session->output.end;
    switch (session->state) {
    case SESSION_BROKEN:
        return true;
    case SESSION_CLOSING:
        return is_silent;
    case SESSION_GREETING:
    case SESSION_OPEN:
        break;
    }
    struct flux_frame frame;
    return session->input_ended && is_silent && !session->stream.text &&
           session->question.kind == SESSION_ASKS_NOTHING && session_peek(session, &frame) == 0;
}

bool session_only_asks(struct session *session)
{
    session->only_asks |= session->reports == 0;
    return session->only_asks;
}

void session_get_info(const struct session *session, struct session_info *ret_info)
{
    *ret_info = (struct session_info){
        .name = session->name,
        .unit = session->unit,
        .reports = session->reports,
        .rejected = session->rejected,
        .shadows = session->binding_count,
        .watches = session->watch_count,
    };
    for (size_t i = 0; i < session->binding_count; i++)
        ret_info->waiting += session->bindings[i].waits.count;
}
