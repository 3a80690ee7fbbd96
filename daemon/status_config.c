#include "daemon/status_json.h"

#include <stdio.h>
#include <string.h>

static void write_place(const struct config_problem *problem, char *ret_place, size_t size)
{
    ret_place[0] = '\0';
    if (problem->file && problem->line > 0)
        (void)snprintf(ret_place, size, "%s:%u", problem->file, problem->line);
    else if (problem->file)
        (void)snprintf(ret_place, size, "%s", problem->file);
}

/* "FILE:LINE: text" without the text. */
static void cut_place(const char *problem, char *ret_place, size_t size)
{
    const char *end = strstr(problem, ": ");
    const size_t length = end ? (size_t)(end - problem) : 0;
    (void)snprintf(ret_place, size, "%.*s", (int)(length < size ? length : size - 1), problem);
}

/* A refused reload is about other files than those in force. */
static const struct reload_report *refused_reload(const struct status_source *source)
{
    return source->config_rejected ? source->reload : NULL;
}

size_t status_find_problem(const struct status_source *source, char place[static STATUS_PLACE_MAX])
{
    const struct reload_report *report = refused_reload(source);
    place[0] = '\0';
    if (report) {
        if (report->gravest < report->problem_count)
            cut_place(report->problems[report->gravest], place, STATUS_PLACE_MAX);
        return report->mistake_count;
    }
    const struct config *config = source->config;
    enum config_severity worst = CONFIG_UNKNOWN;
    size_t count = 0;
    for (size_t i = 0; i < config->problem_count; i++) {
        count += config->problems[i].severity > CONFIG_UNKNOWN;
        if (config->problems[i].severity <= worst)
            continue;
        worst = config->problems[i].severity;
        write_place(&config->problems[i], place, STATUS_PLACE_MAX);
    }
    return count;
}

json_t *status_config_problems(const struct status_source *source)
{
    const struct reload_report *report = refused_reload(source);
    const struct config *config = source->config;
    char place[STATUS_PLACE_MAX];
    json_t *list = json_array();
    for (size_t i = 0; report && i < report->problem_count; i++) {
        cut_place(report->problems[i], place, sizeof(place));
        list = status_append(list, status_text(place));
    }
    for (size_t i = 0; !report && i < config->problem_count; i++) {
        write_place(&config->problems[i], place, sizeof(place));
        list = status_append(list, status_text(place));
    }
    return list;
}

json_t *status_needs_restart(const struct status_source *source)
{
    json_t *list = json_array();
    for (size_t i = 0; i < source->reload->needs_restart_count; i++)
        list = status_append(list, status_text(source->reload->needs_restart[i]));
    return list;
}
