/* Every line would be said to come from this file. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "daemon/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

static atomic_int current_level = LOG_INFO;

void log_set_level(int level)
{
    atomic_store_explicit(&current_level, level, memory_order_relaxed);
}

int log_level(void)
{
    return atomic_load_explicit(&current_level, memory_order_relaxed);
}

static const struct {
    const char *name;
    int level;
} level_names[] = {
    {"error", LOG_ERR}, {"warning", LOG_WARNING}, {"notice", LOG_NOTICE},
    {"info", LOG_INFO}, {"debug", LOG_DEBUG},
};

#define LEVEL_COUNT (sizeof(level_names) / sizeof(level_names[0]))

int log_level_parse(const char *name, int *ret_level)
{
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        if (strcmp(level_names[i].name, name) == 0) {
            *ret_level = level_names[i].level;
            return 0;
        }
    }
    return -EINVAL;
}

const char *log_level_name(int level)
{
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        if (level_names[i].level == level)
            return level_names[i].name;
    }
    return "unknown";
}

/* Whether stderr is the stream that the service manager connected to the journal: then the socket
 * of the journal is used, which takes structured fields. Asked anew for every line, since stderr
 * may be redirected; one fstat is cheap beside a line of log. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    if (!stream)
        return false;
    char *end;
    unsigned long long device = strtoull(stream, &end, 10);
    if (end == stream || *end != ':')
        return false;
    const char *rest = end + 1;
    unsigned long long inode = strtoull(rest, &end, 10);
    if (end == rest || *end != '\0')
        return false;
    struct stat info;
    if (fstat(STDERR_FILENO, &info) < 0)
        return false;
    return (unsigned long long)info.st_dev == device && (unsigned long long)info.st_ino == inode;
}

static void clean_text(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p; p++) {
        if (*p < 0x20 || *p == 0x7f)
            *p = '?';
    }
}

static bool write_journal(int level, const char *text, const struct log_field *fields,
                          size_t field_count)
{
    char lines[LOG_FIELDS_MAX][LOG_FIELD_BYTES_MAX + 64];
    char message[LOG_TEXT_BYTES_MAX + sizeof("MESSAGE=")];
    char priority[sizeof("PRIORITY=7")];
    struct iovec vector[LOG_FIELDS_MAX + 2];
    int vector_count = 0;

    (void)snprintf(message, sizeof(message), "MESSAGE=%s", text);
    (void)snprintf(priority, sizeof(priority), "PRIORITY=%d", level & 7);
    vector[vector_count++] = (struct iovec){message, strlen(message)};
    vector[vector_count++] = (struct iovec){priority, strlen(priority)};
    for (size_t i = 0; i < field_count && i < LOG_FIELDS_MAX; i++) {
        (void)snprintf(lines[i], sizeof(lines[i]), "%.60s=%.*s", fields[i].name,
                       (int)LOG_FIELD_BYTES_MAX, fields[i].value);
        clean_text(lines[i]);
        vector[vector_count++] = (struct iovec){lines[i], strlen(lines[i])};
    }
    return sd_journal_sendv(vector, vector_count) == 0;
}

static void write_text(int level, const char *text)
{
    char line[LOG_TEXT_BYTES_MAX + 32];
    const int size = snprintf(line, sizeof(line), "%s: %s\n", log_level_name(level), text);
    /* One write per line keeps lines of several threads whole. */
    if (size > 0)
        (void)!write(STDERR_FILENO, line, (size_t)size);
}

void log_event(int level, const struct log_field *fields, size_t field_count, const char *format,
               ...)
{
    if (level > log_level())
        return;
    int saved_errno = errno;
    char text[LOG_TEXT_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (size >= 0) {
        clean_text(text);
        if (!stderr_is_journal() || !write_journal(level, text, fields, field_count))
            write_text(level, text);
    }
    errno = saved_errno;
}
