#include "proto/message.h"

const char *flux_message_name(uint8_t type)
{
    switch (type) {
    case FLUX_MESSAGE_HELLO:
        return "HELLO";
    case FLUX_MESSAGE_OPEN_SHADOW:
        return "OPEN_SHADOW";
    case FLUX_MESSAGE_REPORT:
        return "REPORT";
    case FLUX_MESSAGE_GET:
        return "GET";
    case FLUX_MESSAGE_STATUS:
        return "STATUS";
    case FLUX_MESSAGE_FLUSH:
        return "FLUSH";
    case FLUX_MESSAGE_WATCH:
        return "WATCH";
    case FLUX_MESSAGE_UNWATCH:
        return "UNWATCH";
    case FLUX_MESSAGE_KEYS:
        return "KEYS";
    case FLUX_MESSAGE_FORGET:
        return "FORGET";
    case FLUX_MESSAGE_RESET:
        return "RESET";
    case FLUX_MESSAGE_WILL:
        return "WILL";
    case FLUX_MESSAGE_BYE:
        return "BYE";
    case FLUX_MESSAGE_ADMIN:
        return "ADMIN";
    case FLUX_MESSAGE_HISTORY:
        return "HISTORY";
    case FLUX_MESSAGE_WELCOME:
        return "WELCOME";
    case FLUX_MESSAGE_OPENED:
        return "OPENED";
    case FLUX_MESSAGE_ANSWER:
        return "ANSWER";
    case FLUX_MESSAGE_REJECTED:
        return "REJECTED";
    case FLUX_MESSAGE_SAFE:
        return "SAFE";
    case FLUX_MESSAGE_DATA:
        return "DATA";
    case FLUX_MESSAGE_DONE:
        return "DONE";
    case FLUX_MESSAGE_FAILED:
        return "FAILED";
    case FLUX_MESSAGE_GOODBYE:
        return "GOODBYE";
    case FLUX_MESSAGE_DESIRED:
        return "DESIRED";
    default:
        return "unknown";
    }
}

const char *flux_level_name(enum flux_level level)
{
    switch (level) {
    case FLUX_LEVEL_QUEUED:
        return "queued";
    case FLUX_LEVEL_STORED:
        return "stored";
    case FLUX_LEVEL_ACCEPTED:
        return "accepted";
    }
    return "unknown";
}

const char *flux_admin_action_name(enum flux_admin_action action)
{
    switch (action) {
    case FLUX_ADMIN_RELOAD:
        return "reload";
    case FLUX_ADMIN_RECONNECT:
        return "reconnect";
    case FLUX_ADMIN_PAUSE:
        return "pause";
    case FLUX_ADMIN_RESUME:
        return "resume";
    case FLUX_ADMIN_LOG_LEVEL:
        return "log-level";
    }
    return "unknown";
}
