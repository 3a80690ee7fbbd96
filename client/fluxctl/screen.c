#include "client/fluxctl/screen.h"
#include "client/fluxctl/screen_chars.h"
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct screen screen_of_stdout(void)
{
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    (void)setlocale(LC_CTYPE, "");
    struct screen screen = {
        .out = stdout,
        .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .colours = isatty(STDOUT_FILENO) == 1 && term != NULL && term[0] != '\0' &&
                   strcmp(term, "dumb") != 0 && (no_colour == NULL || no_colour[0] == '\0'),
    };
    (void)setlocale(LC_CTYPE, "C");
    return screen;
}

/* --- putting together --- */

void screen_begin(struct screen_text *text, const struct screen *screen)
{
    text->screen = screen;
    text->bytes[0] = '\0';
    text->size = 0;
    text->columns = 0;
}

static void put_bytes(struct screen_text *text, const char *bytes, size_t size, unsigned columns)
{
    if (size >= SCREEN_TEXT_MAX - text->size)
        return;
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
    text->columns += columns;
}

void screen_add(struct screen_text *text, const char *format, ...)
{
    char buffer[SCREEN_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(buffer, sizeof(buffer), format, arguments);
    va_end(arguments);
    for (int i = 0; i < size && buffer[i] != '\0'; i++)
        put_bytes(text, &buffer[i], 1, 1);
}

static void put_character(struct screen_text *text, uint32_t character)
{
    char bytes[4] = "?";
    bool is_shown = screen_is_harmless(character) && (character < 0x80 || text->screen->utf8);
    if (!is_shown)
        put_bytes(text, bytes, 1, 1);
    else
        put_bytes(text, bytes, screen_write_utf8(character, bytes), screen_columns_of(character));
}

static unsigned columns_of(const struct json_node *node, const struct screen *screen)
{
    struct screen_text all;
    screen_begin(&all, screen);
    screen_add_string(&all, node, 0);
    return all.columns;
}

void screen_add_string(struct screen_text *text, const struct json_node *node, unsigned columns)
{
    if (node == NULL || node->kind != JSON_STRING) {
        screen_add(text, "-");
        return;
    }
    bool is_cut = columns > 3 && columns_of(node, text->screen) > columns;
    unsigned end = text->columns + columns - (is_cut ? 3 : 0);
    uint32_t character;
    for (size_t at = 0, size; at < node->size; at += size) {
        size = screen_take_json(node->text + at, node->size - at, &character);
        if (columns > 0 && text->columns + screen_columns_of(character) > end)
            break;
        put_character(text, character);
    }
    if (is_cut)
        screen_add(text, "...");
}

void screen_pad(struct screen_text *text, unsigned column)
{
    while (text->columns < column && text->size + 1 < SCREEN_TEXT_MAX)
        put_bytes(text, " ", 1, 1);
}

/* --- figures --- */

struct unit {
    int64_t ms;
    const char *name;
};
static const struct unit units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};
#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))

static size_t unit_of(int64_t ms)
{
    size_t i = 0;
    while (i < UNIT_COUNT - 1 && ms < units[i].ms)
        i++;
    return i;
}

void screen_add_age(struct screen_text *text, int64_t ms)
{
    const struct unit *unit = &units[unit_of(ms)];
    screen_add(text, "%lld %s", (long long)(ms > 0 ? ms / unit->ms : 0), unit->name);
}

void screen_add_duration(struct screen_text *text, int64_t ms)
{
    size_t i = unit_of(ms);
    screen_add_age(text, ms);
    int64_t rest = ms % units[i].ms;
    if (ms > 0 && i + 1 < UNIT_COUNT && rest >= units[i + 1].ms)
        screen_add(text, " %lld %s", (long long)(rest / units[i + 1].ms), units[i + 1].name);
}

void screen_add_bytes(struct screen_text *text, int64_t bytes)
{
    static const char *const names[] = {"KB", "MB", "GB", "TB"};
    if (bytes < 1000) {
        screen_add(text, "%lld B", (long long)bytes);
        return;
    }
    double number = (double)bytes / 1000;
    size_t i = 0;
    for (; number >= 999.95 && i < 3; i++)
        number /= 1000;
    screen_add(text, number < 9.95 ? "%.1f %s" : "%.0f %s", number, names[i]);
}

void screen_add_count(struct screen_text *text, int64_t count, const char *what)
{
    screen_add(text, "%lld %s%s", (long long)count, what, count == 1 ? "" : "s");
}

/* --- printing --- */

/* How many bytes of `bytes` fit into `columns`, broken between words where there are any. */
static size_t fitting(const char *bytes, size_t size, unsigned columns)
{
    size_t at = 0, blank = 0;
    unsigned used = 0;
    while (at < size) {
        uint32_t character;
        size_t step = screen_take_utf8(bytes + at, size - at, &character);
        if (character == ' ' && at > 0)
            blank = at;
        used += screen_columns_of(character);
        if (used > columns)
            return character != ' ' && blank > 0 ? blank : at;
        at += step;
    }
    return size;
}

/* So many bytes of it that "..." still fits behind them, wherever that cuts. */
static size_t fitting_cut(const char *bytes, size_t size, unsigned columns)
{
    size_t at = 0;
    uint32_t character;
    for (unsigned used = 3; at < size;) {
        size_t step = screen_take_utf8(bytes + at, size - at, &character);
        used += screen_columns_of(character);
        if (used > columns)
            break;
        at += step;
    }
    while (at > 0 && bytes[at - 1] == ' ')
        at--;
    return at;
}

static void print_line(const struct screen_text *text, const char *bytes, size_t size,
                       enum screen_colour colour)
{
    static const char *const codes[] = {
        [SCREEN_PLAIN] = "",
        [SCREEN_GREEN] = "\033[32m",
        [SCREEN_RED] = "\033[1;31m",
    };
    FILE *out = text->screen->out;
    bool is_coloured = text->screen->colours && colour != SCREEN_PLAIN;
    fputs(is_coloured ? codes[colour] : "", out);
    fwrite(bytes, 1, size, out);
    fputs(is_coloured ? "\033[0m" : "", out);
}

void screen_print(const struct screen_text *text, unsigned indent, unsigned lines,
                  enum screen_colour colour)
{
    FILE *out = text->screen->out;
    const char *bytes = text->bytes;
    size_t left = text->size;
    while (left > 0 && bytes[left - 1] == ' ')
        left--;
    for (unsigned line = 0; line == 0 || (left > 0 && line < lines); line++) {
        unsigned columns = SCREEN_COLUMNS - (line > 0 ? indent : 0);
        size_t fit = fitting(bytes, left, columns);
        bool is_cut = fit < left && line + 1 == lines;
        if (is_cut)
            fit = fitting_cut(bytes, left, columns);
        if (line > 0)
            fprintf(out, "%*s", (int)indent, "");
        size_t end = fit;
        while (end > 0 && bytes[end - 1] == ' ')
            end--;
        print_line(text, bytes, end, colour);
        fputs(is_cut ? "...\n" : "\n", out);
        bytes += fit;
        left -= fit;
        while (left > 0 && *bytes == ' ') {
            bytes++;
            left--;
        }
    }
}
