#include "client/fluxctl/keys_table.h"
#include "client/fluxctl/keys_entry.h"
#include "client/fluxctl/output.h"
#include "client/fluxctl/paths.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum column {
    COLUMN_PATH,
    COLUMN_VALUE,
    COLUMN_STATE,
    COLUMN_AGE,
    COLUMN_WRITER,
    COLUMN_ANSWER,
    COLUMNS
};

/* What does not fit is cut; the last column needs no bound: its text may be what one looks for. */
static const int widths_max[COLUMNS] = {48, 28, 44, 8, 48, 0};
static const char *const titles[COLUMNS] = {"PATH", "VALUE", "STATE", "AGE", "WRITER", "ANSWER"};

struct row {
    char *cells[COLUMNS]; /* owned */
};

struct table {
    struct row *rows; /* owned */
    size_t count, capacity;
};

/* ---- the cells of one row ---- */

static int64_t number(struct keys_slice slice)
{
    return slice.text != NULL ? strtoll(slice.text, NULL, 10) : 0;
}

static void put_duration(FILE *file, int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (ms < units[i].ms)
            continue;
        fprintf(file, "%lld %s", (long long)(ms / units[i].ms), units[i].unit);
        return;
    }
    fputs("now", file);
}

static void put_plain(FILE *file, struct keys_slice slice)
{
    fluxctl_put_plain(file, slice.text, slice.size);
}

static void put_state(FILE *file, const struct keys_slice *fields)
{
    put_plain(file, keys_slice_is(fields[KEYS_FIELD_STATE], "in_flight")
                        ? (struct keys_slice){"in flight", 9}
                        : fields[KEYS_FIELD_STATE]);
    if (keys_slice_is(fields[KEYS_FIELD_SETTLING], "true"))
        fputs(", settling", file);
    if (fields[KEYS_FIELD_HELD_BY].text != NULL) {
        fputs(", held by ", file);
        put_plain(file, fields[KEYS_FIELD_HELD_BY]);
        if (number(fields[KEYS_FIELD_HELD_UNTIL]) >= 1000) {
            fputs(" for ", file);
            put_duration(file, number(fields[KEYS_FIELD_HELD_UNTIL]));
        }
    }
}

/* What the cloud had to say last, and what it shows where that is something else. */
static void put_answer(FILE *file, const struct keys_slice *fields)
{
    bool is_refused = keys_slice_is(fields[KEYS_FIELD_STATE], "refused");
    if (is_refused) {
        fprintf(file, "code %lld: ", (long long)number(fields[KEYS_FIELD_CODE]));
        put_plain(file, fields[KEYS_FIELD_TEXT]);
        return;
    }
    if (fields[KEYS_FIELD_VERSION].text != NULL)
        fprintf(file, "version %lld", (long long)number(fields[KEYS_FIELD_VERSION]));
    else
        fputc('-', file);
    if (fields[KEYS_FIELD_ACCEPTED].text != NULL) {
        fputs(", ", file);
        put_duration(file, number(fields[KEYS_FIELD_ACCEPTED]));
        fputs(number(fields[KEYS_FIELD_ACCEPTED]) >= 1000 ? " ago" : "", file);
    }
    if (fields[KEYS_FIELD_CLOUD].text == NULL)
        return;
    fputs(fields[KEYS_FIELD_DEADBAND].text != NULL ? "; within the Deadband, cloud has "
                                                   : "; cloud has ",
          file);
    if (keys_slice_is(fields[KEYS_FIELD_CLOUD], "null"))
        fputs("nothing", file);
    else
        fluxctl_put_json(file, fields[KEYS_FIELD_CLOUD].text, fields[KEYS_FIELD_CLOUD].size);
}

static void put_writer(FILE *file, const struct keys_slice *fields)
{
    if (fields[KEYS_FIELD_WRITER_NAME].text == NULL) {
        fputs("-", file);
        return;
    }
    put_plain(file, fields[KEYS_FIELD_WRITER_NAME]);
    fprintf(file, " (uid %lld", (long long)number(fields[KEYS_FIELD_WRITER_UID]));
    if (fields[KEYS_FIELD_WRITER_UNIT].size > 0) {
        fputs(", ", file);
        put_plain(file, fields[KEYS_FIELD_WRITER_UNIT]);
    }
    fputc(')', file);
}

static void put_cell(FILE *file, enum column column, const struct keys_slice *fields)
{
    switch (column) {
    case COLUMN_PATH: {
        char *path =
            fluxctl_path_for_people(fields[KEYS_FIELD_PATH].text, fields[KEYS_FIELD_PATH].size);
        fluxctl_put_json(file, path != NULL ? path : "?", path != NULL ? strlen(path) : 1);
        free(path);
        break;
    }
    case COLUMN_VALUE:
        if (keys_slice_is(fields[KEYS_FIELD_VALUE], "null"))
            fputs("(removed)", file);
        else
            fluxctl_put_json(file, fields[KEYS_FIELD_VALUE].text, fields[KEYS_FIELD_VALUE].size);
        break;
    case COLUMN_STATE:
        put_state(file, fields);
        break;
    case COLUMN_AGE:
        put_duration(file, number(fields[KEYS_FIELD_AGE]));
        break;
    case COLUMN_WRITER:
        put_writer(file, fields);
        break;
    case COLUMN_ANSWER:
        put_answer(file, fields);
        break;
    case COLUMNS:
    default:
        break;
    }
}

static bool add_row(struct table *table, const struct keys_slice *fields)
{
    if (fields[KEYS_FIELD_PATH].text == NULL || fields[KEYS_FIELD_VALUE].text == NULL)
        return true;
    if (table->count == table->capacity) {
        size_t capacity = table->capacity > 0 ? table->capacity * 2 : 32;
        struct row *rows = realloc(table->rows, capacity * sizeof(*rows));
        if (rows == NULL)
            return false;
        table->rows = rows;
        table->capacity = capacity;
    }
    struct row *row = &table->rows[table->count++];
    *row = (struct row){0};
    for (int i = 0; i < COLUMNS; i++) {
        size_t size;
        FILE *file = open_memstream(&row->cells[i], &size);
        if (file == NULL)
            return false;
        put_cell(file, (enum column)i, fields);
        if (fclose(file) != 0)
            return false;
    }
    return true;
}

static bool add_answer(struct table *table, const char *json)
{
    struct json_walk walk;
    json_walk_init(&walk, json);
    enum json_walk_event event;
    while ((event = json_walk_next(&walk)) != JSON_WALK_END) {
        struct keys_slice fields[KEYS_FIELDS] = {{NULL, 0}};
        if (event != JSON_WALK_BEGIN_OBJECT)
            continue;
        keys_entry_read(&walk, fields);
        if (!add_row(table, fields))
            return false;
    }
    return true;
}

/* ---- the table ---- */

/* Characters, as far as a terminal is concerned: continuation bytes do not count. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void print_cell(const char *text, int width, bool is_last)
{
    int left = width;
    bool is_cut = !is_last && width_of(text) > width;
    while (*text != '\0' && (!is_cut || left > 1)) {
        do
            putchar(*text++);
        while (((unsigned char)*text & 0xc0) == 0x80);
        left--;
    }
    if (is_cut) {
        fputs("…", stdout);
        left--;
    }
    if (is_last)
        putchar('\n');
    else
        printf("%*s", left + 2, "");
}

static void print_table(const struct table *table)
{
    int widths[COLUMNS];
    for (int i = 0; i < COLUMNS; i++) {
        widths[i] = width_of(titles[i]);
        for (size_t j = 0; j < table->count; j++) {
            int width = width_of(table->rows[j].cells[i]);
            if (width > widths[i])
                widths[i] = width;
        }
        if (widths_max[i] > 0 && widths[i] > widths_max[i])
            widths[i] = widths_max[i];
    }
    for (int i = 0; i < COLUMNS; i++)
        print_cell(titles[i], widths[i], i == COLUMNS - 1);
    for (size_t j = 0; j < table->count; j++)
        for (int i = 0; i < COLUMNS; i++)
            print_cell(table->rows[j].cells[i], widths[i], i == COLUMNS - 1);
}

static void free_table(struct table *table)
{
    for (size_t j = 0; j < table->count; j++)
        for (int i = 0; i < COLUMNS; i++)
            free(table->rows[j].cells[i]);
    free(table->rows);
}

bool fluxctl_print_keys(char *const *answers, int count)
{
    struct table table = {0};
    bool is_done = true;
    for (int i = 0; i < count && is_done; i++)
        is_done = add_answer(&table, answers[i]);
    if (is_done && table.count > 0)
        print_table(&table);
    free_table(&table);
    return is_done;
}
