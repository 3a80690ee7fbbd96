/* FLUXAWS_DEBUG=1: every message on stderr. The only place of the library that prints. */
#include "client/client.h"
#include "proto/json_writer.h"
#include "proto/message.h"
#include <stdio.h>

static void show_operations(FILE *file, struct flux_wire_reader *operations)
{
    struct flux_change change;
    while (flux_report_next(operations, &change) == 1) {
        if (change.kind != FLUX_SET) {
            fprintf(file, " %s %.*s", change.kind == FLUX_UNSET ? "unset" : "settle",
                    change.path_size > 0 ? (int)change.path_size : 1,
                    change.path_size > 0 ? change.path : "/");
            continue;
        }
        struct flux_json_writer writer;
        flux_json_writer_init(&writer, 0);
        flux_json_value(&writer, &change.value);
        fprintf(file, " %.*s=%s", (int)change.path_size, change.path,
                writer.text != NULL ? writer.text : "?");
        flux_json_writer_clear(&writer);
    }
}

static void show_report(FILE *file, const struct flux_frame *frame)
{
    struct flux_report report;
    struct flux_wire_reader operations;
    if (flux_report_decode(frame, &report, &operations) < 0)
        return;
    fprintf(file, " id=%llu level=%s", (unsigned long long)report.request_id,
            flux_level_name(report.level));
    if (report.resent)
        fprintf(file, " resent set_us=%lld", (long long)report.set_us);
    show_operations(file, &operations);
}

static void show_answer(FILE *file, const struct flux_frame *frame)
{
    struct flux_answer answer;
    if (flux_answer_decode(frame, &answer) == 0)
        fprintf(file, " %s %llu..%llu version=%lld", flux_level_name(answer.level),
                (unsigned long long)answer.first_id, (unsigned long long)answer.last_id,
                (long long)answer.version);
}

static void show_rejected(FILE *file, const struct flux_frame *frame)
{
    struct flux_rejected rejected;
    if (flux_rejected_decode(frame, &rejected) == 0)
        fprintf(file, " %llu..%llu code=%u path=%.*s text=%.*s",
                (unsigned long long)rejected.first_id, (unsigned long long)rejected.last_id,
                rejected.code, (int)rejected.path.size, rejected.path.text, (int)rejected.text.size,
                rejected.text.text);
}

static void show_safe(FILE *file, const struct flux_frame *frame)
{
    struct flux_safe safe;
    if (flux_safe_decode(frame, &safe) == 0)
        fprintf(file, " up to %llu", (unsigned long long)safe.last_id);
}

static void show_welcome(FILE *file, const struct flux_frame *frame)
{
    struct flux_welcome welcome;
    if (flux_welcome_decode(frame, &welcome) == 0)
        fprintf(file, " version=%u instance=%016llx %s max_frame_bytes=%u max_depth=%u",
                welcome.version, (unsigned long long)welcome.instance_id,
                (welcome.flags & FLUX_WELCOME_DURABLE) != 0 ? "durable" : "volatile",
                welcome.max_frame_bytes, welcome.max_depth);
}

static void show_will(FILE *file, const struct flux_frame *frame)
{
    struct flux_will will;
    struct flux_wire_reader operations;
    if (flux_will_decode(frame, &will, &operations) < 0)
        return;
    fprintf(file, " id=%llu", (unsigned long long)will.request_id);
    show_operations(file, &operations);
}

static void show_watch(FILE *file, const struct flux_frame *frame)
{
    struct flux_watch watch;
    if (flux_watch_decode(frame, &watch) == 0)
        fprintf(file, " id=%llu path=%.*s", (unsigned long long)watch.request_id,
                (int)watch.path.size, watch.path.text);
}

static void show_desired(FILE *file, const struct flux_frame *frame)
{
    struct flux_desired desired;
    if (flux_desired_decode(frame, &desired) < 0)
        return;
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    flux_json_value(&writer, &desired.value);
    fprintf(file, " id=%llu version=%lld", (unsigned long long)desired.request_id,
            (long long)desired.version);
    if (desired.complete)
        fputs(" complete", file);
    else
        fprintf(file, " %.*s=%s%s", (int)desired.path.size, desired.path.text,
                writer.text != NULL ? writer.text : "?", desired.stale ? " stale" : "");
    flux_json_writer_clear(&writer);
}

static void show_open(FILE *file, const struct flux_frame *frame)
{
    struct flux_open_shadow open;
    if (flux_open_shadow_decode(frame, &open) == 0)
        fprintf(file, " id=%llu thing=%.*s shadow=%.*s", (unsigned long long)open.request_id,
                (int)open.thing.size, open.thing.text, (int)open.shadow.size, open.shadow.text);
}

static void show_admin(FILE *file, const struct flux_frame *frame)
{
    struct flux_admin admin;
    if (flux_admin_decode(frame, &admin) == 0)
        fprintf(file, " id=%llu %s argument=%u duration_sec=%u",
                (unsigned long long)admin.request_id, flux_admin_action_name(admin.action),
                admin.argument, admin.duration_sec);
}

static void show_end(FILE *file, const struct flux_frame *frame)
{
    struct flux_failed failed;
    struct flux_goodbye goodbye;
    if (frame->type == FLUX_MESSAGE_FAILED && flux_failed_decode(frame, &failed) == 0)
        fprintf(file, " id=%llu code=%u text=%.*s", (unsigned long long)failed.request_id,
                failed.code, (int)failed.text.size, failed.text.text);
    if (frame->type == FLUX_MESSAGE_GOODBYE && flux_goodbye_decode(frame, &goodbye) == 0)
        fprintf(file, " code=%u text=%.*s", (unsigned)goodbye.code, (int)goodbye.text.size,
                goodbye.text.text);
}

static void show_message(FILE *file, const struct flux_frame *frame)
{
    switch (frame->type) {
    case FLUX_MESSAGE_REPORT:
        show_report(file, frame);
        break;
    case FLUX_MESSAGE_WILL:
        show_will(file, frame);
        break;
    case FLUX_MESSAGE_OPEN_SHADOW:
        show_open(file, frame);
        break;
    case FLUX_MESSAGE_WATCH:
        show_watch(file, frame);
        break;
    case FLUX_MESSAGE_DESIRED:
        show_desired(file, frame);
        break;
    case FLUX_MESSAGE_ANSWER:
        show_answer(file, frame);
        break;
    case FLUX_MESSAGE_REJECTED:
        show_rejected(file, frame);
        break;
    case FLUX_MESSAGE_SAFE:
        show_safe(file, frame);
        break;
    case FLUX_MESSAGE_WELCOME:
        show_welcome(file, frame);
        break;
    case FLUX_MESSAGE_ADMIN:
        show_admin(file, frame);
        break;
    case FLUX_MESSAGE_FAILED:
    case FLUX_MESSAGE_GOODBYE:
        show_end(file, frame);
        break;
    default:
        fprintf(file, " %u bytes", frame->size);
    }
}

void client_debug(const struct fluxaws_client *client, const char *direction, const void *data,
                  size_t size)
{
    struct flux_frame frame;
    if (!client->is_debugged || flux_frame_next(data, size, size, &frame) <= 0)
        return;
    fprintf(stderr, "fluxaws: %s %s", direction, flux_message_name(frame.type));
    if (frame.shadow != 0)
        fprintf(stderr, " shadow=%u", frame.shadow);
    show_message(stderr, &frame);
    fputc('\n', stderr);
}
