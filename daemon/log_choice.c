#include "daemon/log_choice.h"

#include <errno.h>
#include <syslog.h>

int log_choice_make(struct log_choice *choice, uint32_t level, uint32_t duration_sec,
                    int64_t now_ms)
{
    if (level < LOG_ERR || level > LOG_DEBUG || duration_sec > LOG_CHOICE_SEC_MAX)
        return -EINVAL;
    *choice = (struct log_choice){
        .is_made = true,
        .level = (int)level,
        .until_ms = duration_sec > 0 ? now_ms + duration_sec * INT64_C(1000) : INT64_MAX,
    };
    return 0;
}

void log_choice_reload(struct log_choice *choice)
{
    if (choice->until_ms == INT64_MAX)
        *choice = (struct log_choice){0};
}

bool log_choice_expire(struct log_choice *choice, int64_t now_ms)
{
    if (!choice->is_made || now_ms < choice->until_ms)
        return false;
    *choice = (struct log_choice){0};
    return true;
}

int log_choice_level(const struct log_choice *choice, int configured)
{
    return choice->is_made ? choice->level : configured;
}

int64_t log_choice_deadline(const struct log_choice *choice)
{
    return choice->is_made ? choice->until_ms : INT64_MAX;
}
