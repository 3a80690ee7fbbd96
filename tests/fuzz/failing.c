#include "tests/fuzz/failing.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    uint64_t made, first, last; /* allocations; those from `first` to `last` fail */
    unsigned holds;
    bool is_on, has_failed;
} failing;

static bool fails(void)
{
    if (!failing.is_on || failing.holds > 0)
        return false;
    failing.made++;
    if (failing.made < failing.first || failing.made > failing.last)
        return false;
    failing.has_failed = true;
    errno = ENOMEM;
    return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
int __real_vasprintf(char **ret_text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
int __wrap_vasprintf(char **ret_text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
int __wrap_asprintf(char **ret_text, const char *format, ...) __attribute__((format(printf, 2, 3)));

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
    return fails() ? NULL : __real_strndup(text, size);
}

int __wrap_vasprintf(char **ret_text, const char *format, va_list arguments)
{
    if (!fails())
        return __real_vasprintf(ret_text, format, arguments);
    *ret_text = NULL;
    return -1;
}

int __wrap_asprintf(char **ret_text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int r = __wrap_vasprintf(ret_text, format, arguments);
    va_end(arguments);
    return r;
}

void failing_start(uint64_t number, uint64_t count)
{
    failing.made = 0;
    failing.first = number;
    failing.last = number + count - 1;
    failing.holds = 0;
    failing.has_failed = false;
    failing.is_on = true;
}

uint64_t failing_stop(void)
{
    failing.is_on = false;
    return failing.made;
}

void failing_hold(bool hold)
{
    failing.holds += hold ? 1u : -1u;
}

bool failing_has_failed(void)
{
    return failing.has_failed;
}
