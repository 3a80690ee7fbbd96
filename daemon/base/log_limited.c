#include "daemon/base/log_limited.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void log_limited(struct log_limit *limit, const struct log_line *line, int64_t now_ms,
                 const char *format, ...)
{
    if (line->level > log_level())
        return;
    char text[LOG_TEXT_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (size < 0)
        return;
    struct log_line written = *line;
    written.text = text;
    const bool is_news = !limit || log_limit_admit(limit, &written, now_ms);
    log_event(is_news ? line->level : LOG_DEBUG, line->fields, line->field_count, "%s", text);
}

/* 1234567 -> "1,234,567" */
static void write_count(uint64_t count, char ret_text[static 32])
{
    char digits[24];
    const int size = snprintf(digits, sizeof(digits), "%" PRIu64, count);
    size_t used = 0;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            ret_text[used++] = ',';
        ret_text[used++] = digits[i];
    }
    ret_text[used] = '\0';
}

static void write_period(int64_t over_ms, char ret_text[static 32])
{
    const int64_t seconds = (over_ms + 999) / 1000;
    if (seconds < 120)
        (void)snprintf(ret_text, 32, "%lld s", (long long)seconds);
    else
        (void)snprintf(ret_text, 32, "%lld minutes", (long long)((seconds + 30) / 60));
}

void log_limited_flush(struct log_limit *limit, int64_t now_ms)
{
    struct log_limit_summary summary;
    while (log_limit_next(limit, now_ms, &summary)) {
        char count[32], period[32], number[24];
        write_count(summary.count, count);
        write_period(summary.over_ms, period);
        (void)snprintf(number, sizeof(number), "%" PRIu64, summary.count);
        if (summary.field_count < LOG_FIELDS_MAX)
            summary.fields[summary.field_count++] = (struct log_field){"REPEATED", number};
        log_event(summary.level, summary.fields, summary.field_count,
                  "%s (%s more like it in the last %s)", summary.text, count, period);
    }
}
