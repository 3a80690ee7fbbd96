#include "client/fluxctl/metrics.h"
#include "client/fluxctl/json_tree.h"
#include "client/fluxctl/metrics_table.h"
#include "client/fluxctl/screen_chars.h"
#include <inttypes.h>
#include <stdint.h>

/* A label's value: quotes, backslashes and new lines are escaped as OpenMetrics wants it; nothing
 * else that a terminal would obey comes through. */
static void print_label(FILE *out, const char *text, size_t size)
{
    uint32_t character;
    fputc('"', out);
    for (size_t at = 0, step; at < size; at += step) {
        char bytes[4];
        step = screen_take_json(text + at, size - at, &character);
        if (character == '"' || character == '\\')
            fprintf(out, "\\%c", (char)character);
        else if (screen_is_harmless(character))
            fwrite(bytes, 1, screen_write_utf8(character, bytes), out);
        else
            fputc('?', out);
    }
    fputc('"', out);
}

static void print_text_label(FILE *out, const struct json_node *node)
{
    bool is_text = node != NULL && node->kind == JSON_STRING;
    print_label(out, is_text ? node->text : "", is_text ? node->size : 0);
}

static void print_labels(FILE *out, const struct json_tree *tree, enum metric_scope scope,
                         const struct json_node *from)
{
    switch (scope) {
    case METRIC_ONE:
        return;
    case METRIC_SHADOW:
        fputs("{thing=", out);
        print_text_label(out, json_find(tree, from, "thing"));
        fputs(",shadow=", out);
        print_text_label(out, json_find(tree, from, "name"));
        break;
    case METRIC_CAUSE:
        fputs("{cause=", out);
        print_label(out, from->key, from->key_size);
        break;
    }
    fputc('}', out);
}

static void print_number(FILE *out, const struct metric *metric, const struct json_node *node)
{
    int64_t number = json_number(node, 0);
    switch (metric->reading) {
    case METRIC_NUMBER:
        fprintf(out, "%" PRId64, number);
        break;
    case METRIC_MILLISECONDS:
        fprintf(out, "%.3f", (double)number / 1e3);
        break;
    case METRIC_MICROSECONDS:
        fprintf(out, "%.6f", (double)number / 1e6);
        break;
    case METRIC_PERCENT:
        fprintf(out, "%.2f", (double)number / 1e2);
        break;
    case METRIC_TRUE:
        fputc(json_is_true(node) ? '1' : '0', out);
        break;
    case METRIC_IS:
        fputc(json_is(node, metric->expected) ? '1' : '0', out);
        break;
    case METRIC_IS_SET:
        fputc(json_is_null(node) ? '0' : '1', out);
        break;
    }
}

static void print_sample(FILE *out, const struct json_tree *tree, const struct metric *metric,
                         const struct json_node *from)
{
    const struct json_node *node = json_find(tree, from, metric->path);
    if (node == NULL || (json_is_null(node) && metric->reading != METRIC_IS_SET))
        return;
    fprintf(out, "%s%s", metric->name, metric->type == METRIC_COUNTER ? "_total" : "");
    print_labels(out, tree, metric->scope, from);
    fputc(' ', out);
    print_number(out, metric, node);
    fputc('\n', out);
}

static void print_head(FILE *out, const struct metric *metric)
{
    fprintf(out, "# TYPE %s %s\n", metric->name,
            metric->type == METRIC_COUNTER ? "counter" : "gauge");
    if (metric->unit != NULL)
        fprintf(out, "# UNIT %s %s\n", metric->name, metric->unit);
    fprintf(out, "# HELP %s %s.\n", metric->name, metric->help);
}

static void print_metric(FILE *out, const struct json_tree *tree, const struct metric *metric)
{
    const struct json_node *list = NULL, *from = NULL;
    print_head(out, metric);
    if (metric->scope == METRIC_ONE) {
        print_sample(out, tree, metric, NULL);
        return;
    }
    list = json_find(tree, NULL, metric->scope == METRIC_SHADOW ? "shadows" : "cloud.causes");
    while ((from = json_next(tree, list, from)) != NULL)
        if (metric->scope == METRIC_SHADOW || from->key != NULL)
            print_sample(out, tree, metric, from);
}

/* What is text goes into labels. */
static void print_texts(FILE *out, const struct json_tree *tree)
{
    fputs("# TYPE fluxaws_daemon info\n"
          "# HELP fluxaws_daemon What runs, and for which thing.\n"
          "fluxaws_daemon_info{version=",
          out);
    print_text_label(out, json_find(tree, NULL, "version"));
    fputs(",thing=", out);
    print_text_label(out, json_find(tree, NULL, "thing"));
    fputs("} 1\n"
          "# TYPE fluxaws_link_state gauge\n"
          "# HELP fluxaws_link_state The state of the link, as a label.\n"
          "fluxaws_link_state{state=",
          out);
    print_text_label(out, json_find(tree, NULL, "link.state"));
    fputs("} 1\n", out);
}

int metrics_print(const char *json, FILE *out)
{
    struct json_tree tree;
    int r = json_tree_read(&tree, json);
    if (r < 0)
        return r;
    print_texts(out, &tree);
    for (size_t i = 0; i < metrics_count; i++)
        print_metric(out, &tree, &metrics_table[i]);
    fputs("# EOF\n", out);
    json_tree_clear(&tree);
    return 0;
}
