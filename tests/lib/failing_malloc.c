#include "tests/lib/failing_malloc.h"
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *memory);

static size_t left_until_failure;
static bool has_failed;
static size_t live_count;

void failing_malloc_arm(size_t nth)
{
    left_until_failure = nth;
    has_failed = false;
}

bool failing_malloc_disarm(void)
{
    left_until_failure = 0;
    return has_failed;
}

size_t failing_malloc_live_count(void)
{
    return live_count;
}

static bool must_fail(void)
{
    if (left_until_failure == 0 || --left_until_failure > 0)
        return false;
    has_failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    void *memory = must_fail() ? NULL : __real_malloc(size);
    live_count += memory != NULL;
    return memory;
}

void *__wrap_calloc(size_t count, size_t size)
{
    void *memory = must_fail() ? NULL : __real_calloc(count, size);
    live_count += memory != NULL;
    return memory;
}

void *__wrap_realloc(void *memory, size_t size)
{
    if (must_fail())
        return NULL;
    void *moved = __real_realloc(memory, size);
    live_count += memory == NULL && moved != NULL;
    return moved;
}

char *__wrap_strdup(const char *text)
{
    char *copy = must_fail() ? NULL : __real_strdup(text);
    live_count += copy != NULL;
    return copy;
}

void __wrap_free(void *memory)
{
    live_count -= memory != NULL;
    __real_free(memory);
}
