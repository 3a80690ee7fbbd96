#include "daemon/config_file.h"

#include "daemon/config_access.h"
#include "daemon/config_control.h"
#include "daemon/config_property.h"
#include "daemon/config_users.h"
#include "daemon/mqtt/key_reference.h"
#include "daemon/mqtt/proxy_address.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* libinih cuts section names beyond this. */
#define SECTION_BYTES_MAX 49
/* What a section is called whose head was refused, so that its keys do not fall to the one before.
 */
#define REFUSED_SECTION "?"
/* Most drop-ins that one directory may hold. */
#define DROP_INS_MAX 256
/* A configuration is small; what is larger is none. */
#define FILE_BYTES_MAX (1024 * 1024)

struct source {
    struct config *config;
    FILE *stream;
    const char *file;
    char *line; /* getline()'s */
    size_t capacity;
    unsigned number;
    bool unparsed;
    int error; /* -ENOMEM, -EIO */
};

static void source_refuse(struct source *source, const char *why)
{
    source->unparsed = true;
    config_spoil_section(source->config);
    if (config_add_problem(source->config, CONFIG_UNPARSED, source->file, source->number, "%s",
                           why) < 0)
        source->error = -ENOMEM;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Refuse a section's head. One that was to say who may do what grants nothing then. */
static bool source_refuse_section(struct source *source, const char *line, const char *why)
{
    const char *name = line + 1 + strspn(line + 1, " \t");
    config_end_section(source->config);
    if (strncasecmp(name, "Access", strlen("Access")) == 0)
        source->config->has_access = true;
    source_refuse(source, why);
    return false;
}

static const char refused_head[] = "[" REFUSED_SECTION "]\n";

/* Refuse a line of whatever kind. Returns whether libinih is to have `ret_given` for it. */
static bool source_refuse_line(struct source *source, const char *line, const char *why,
                               const char **ret_given)
{
    *ret_given = refused_head;
    if (*line == '[')
        (void)source_refuse_section(source, line, why);
    else
        source_refuse(source, why);
    return *line == '[';
}

/* Take a section's head `[NAME]`. Returns false where libinih would cut it. */
static bool source_take_section(struct source *source, const char *line)
{
    if (config_control_is_in(line))
        return source_refuse_section(source, line, "a control character in a section's head");
    const char *end = strchr(line, ']');
    if (!end || end == line + 1)
        return source_refuse_section(source, line, "a section's head is [NAME]");
    for (const char *rest = end + 1; *rest; rest++) {
        if (!is_blank(*rest))
            return source_refuse_section(source, line, "text behind the ] of a section's head");
    }
    char name[SECTION_BYTES_MAX + 1];
    const size_t size = (size_t)(end - line - 1);
    if (size >= sizeof(name))
        return source_refuse_section(source, line,
                                     "a section's name is longer than 49 bytes: "
                                     "shorten the glob, * and ** may stand for keys");
    memcpy(name, line + 1, size);
    name[size] = '\0';
    if (config_begin_section(source->config, name, source->file, source->number) < 0)
        source->error = -ENOMEM;
    return true;
}

/* Tell whether a `name=value` line can be handed to libinih whole; says why not. */
static bool source_take_value(struct source *source, const char *line)
{
    if (config_control_is_in(line)) {
        source_refuse(source, "a control character");
        return false;
    }
    const char *equals = strchr(line, '=');
    if (!equals || equals == line) {
        source_refuse(source, "not a section, a comment or NAME=VALUE");
        return false;
    }
    if (memchr(line, ':', (size_t)(equals - line))) {
        source_refuse(source, "a ':' in a key's name");
        return false;
    }
    for (const char *byte = line; *byte; byte++) {
        if (*byte == ';' && byte > line && is_blank(byte[-1])) {
            source_refuse(source, "a ';' behind a blank would cut the value: "
                                  "comments stand on lines of their own");
            return false;
        }
    }
    return true;
}

/* Hand the next line to libinih as fgets() would; lines it would cut or misread become empty ones.
 */
static char *source_read(char *text, int size, void *data)
{
    struct source *source = data;
    if (source->error)
        return NULL;
    const ssize_t got = getline(&source->line, &source->capacity, source->stream);
    if (got < 0) {
        if (ferror(source->stream))
            source->error = errno == EISDIR ? -EISDIR : -EIO;
        return NULL;
    }
    source->number++;
    char *line = source->line;
    const bool is_whole = strlen(line) == (size_t)got;
    if (source->number == 1 && strncmp(line, "\xEF\xBB\xBF", 3) == 0)
        line += 3; /* a byte order mark */
    while (is_blank(*line))
        line++; /* libinih would take an indented line as more of the value before */

    const char *given = line;
    bool usable = true;
    if (!is_whole) {
        usable = source_refuse_line(source, line, "a NUL byte", &given);
    } else if (*line == '\0' || *line == '#' || *line == ';') {
        usable = false;
    } else if (strlen(line) > (size_t)size - 2) {
        usable = source_refuse_line(source, line, "the line is too long", &given);
    } else if (*line == '[') {
        usable = true;
        if (!source_take_section(source, line))
            given = refused_head;
    } else {
        usable = source_take_value(source, line);
    }
    (void)snprintf(text, (size_t)size, "%s", usable ? given : "\n");
    return text;
}

static int source_handle(void *data, const char *section, const char *name, const char *value)
{
    struct source *source = data;
    if (*section == '\0') {
        source_refuse(source, "a key before the first section");
        return 1;
    }
    if (config_set(source->config, section, name, value, source->file, source->number) < 0)
        source->error = -ENOMEM;
    return 1;
}

int config_read_stream(struct config *config, FILE *stream, const char *file)
{
    struct source source = {.config = config, .stream = stream, .file = file};
    config_end_section(config);
    const int r = ini_parse_stream(source_read, &source, source_handle, &source);
    free(source.line);
    if (source.error)
        return source.error;
    if (r != 0 && !source.unparsed) {
        source.number = r > 0 ? (unsigned)r : 0;
        source_refuse(&source, "cannot be parsed");
    }
    return source.error ? source.error : source.unparsed ? -EINVAL : 0;
}

/* Programs write drop-ins: a fifo there must not hang the daemon, nor a huge file fill it. The main
 * file is the operator's, and may be a pipe. */
static int open_file(const char *file, bool is_drop_in, FILE **ret_stream)
{
    const int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | (is_drop_in ? O_NONBLOCK : 0));
    if (fd < 0)
        return -errno;
    struct stat status;
    int r = 0;
    if (fstat(fd, &status) < 0)
        r = -errno;
    else if (is_drop_in && !S_ISREG(status.st_mode))
        r = S_ISDIR(status.st_mode) ? -EISDIR : -ENOTSUP;
    else if (S_ISREG(status.st_mode) && status.st_size > FILE_BYTES_MAX)
        r = -EFBIG;
    *ret_stream = r == 0 ? fdopen(fd, "r") : NULL;
    if (!*ret_stream) {
        r = r < 0 ? r : -errno;
        (void)close(fd);
    }
    return r;
}

/* Returns 0, -EINVAL (unparsed), -ENOMEM, or why the file cannot be opened. */
static int config_read_file(struct config *config, const char *file, bool is_drop_in)
{
    FILE *stream = NULL;
    int r = open_file(file, is_drop_in, &stream);
    if (r < 0)
        return r;
    r = config_read_stream(config, stream, file);
    (void)fclose(stream);
    return r;
}

/* What is there and cannot be read, for whatever reason, may say who may do what: access fails
 * closed. A file that has just gone, or that is none (a mask is a link to /dev/null), says nothing;
 * of one that was read the lines have told. */
static void note_unread(struct config *config, int error)
{
    static const int known[] = {0, -ENOENT, -ENOTDIR, -EISDIR, -ENOTSUP, -EINVAL};
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (known[i] == error)
            return;
    }
    config->has_access = true;
}

static int is_drop_in(const struct dirent *entry)
{
    const size_t size = strlen(entry->d_name);
    return entry->d_name[0] != '.' && size > 5 && strcmp(entry->d_name + size - 5, ".conf") == 0;
}

/* Read the `*.conf` files of a directory in the order of their names; one that is not there is
 * none. A drop-in that cannot be read is a problem and does not stop the others. Returns 0 or
 * -ENOMEM. */
static int config_read_drop_ins(struct config *config, const char *directory)
{
    struct dirent **entries = NULL;
    const int count = scandir(directory, &entries, is_drop_in, alphasort);
    if (count < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return 0;
        note_unread(config, -errno);
        return config_add_problem(config, CONFIG_UNPARSED, directory, 0, "cannot be read: %s",
                                  strerror(errno));
    }
    int r = 0;
    config->has_access |= count > DROP_INS_MAX;
    if (count > DROP_INS_MAX)
        r = config_add_problem(config, CONFIG_UNPARSED, directory, 0,
                               "more than %d files: those behind %s are left out", DROP_INS_MAX,
                               entries[DROP_INS_MAX - 1]->d_name);
    for (int i = 0; i < count; i++) {
        char *file = NULL;
        if (r == 0 && i < DROP_INS_MAX) {
            if (asprintf(&file, "%s/%s", directory, entries[i]->d_name) < 0)
                r = -ENOMEM;
            else
                r = config_control_is_in(file) ? -EILSEQ : config_read_file(config, file, true);
        }
        note_unread(config, r);
        if (r < 0 && r != -ENOMEM)
            r = r == -EINVAL
                    ? 0
                    : config_add_problem(config, CONFIG_UNPARSED, file, 0, "cannot be read: %s",
                                         r == -EILSEQ    ? "a control character in its name"
                                         : r == -ENOTSUP ? "it is no plain file"
                                                         : strerror(-r));
        free(file);
        free(entries[i]);
    }
    free(entries);
    return r;
}

static int config_read_layers(struct config *config, const char *main_file,
                              const char *state_directory)
{
    int r = config_read_drop_ins(config, FLUX_VENDOR_CONFIG_DIRECTORY);
    if (r < 0)
        return r;

    const int main_result = config_read_file(config, main_file, false);
    if (main_result == -ENOMEM)
        return main_result;
    if (main_result < 0 && main_result != -EINVAL)
        r = config_add_problem(config, CONFIG_UNPARSED, main_file, 0, "cannot be read: %s",
                               strerror(-main_result));
    if (r < 0 || main_result < 0)
        return r < 0 ? r : main_result;

    char *directory = NULL;
    if (asprintf(&directory, "%s.d", main_file) < 0)
        return -ENOMEM;
    r = config_read_drop_ins(config, directory);
    free(directory);
    if (r == 0 && state_directory) {
        if (asprintf(&directory, "%s/fluxawsd.conf.d", state_directory) < 0)
            return -ENOMEM;
        r = config_read_drop_ins(config, directory);
        free(directory);
    }
    if (r == 0)
        r = config_finish(config);
    return r < 0 ? r : config_users_resolve(config);
}

int config_load(struct config *ret_config, const char *main_file, const char *state_directory)
{
    int r = config_init(ret_config);
    if (r < 0)
        return r;
    r = config_read_layers(ret_config, main_file, state_directory);
    if (r == -ENOMEM)
        config_clear(ret_config);
    return r;
}

static void print_property(const struct config_property *property, FILE *stream)
{
    char text[CONFIG_PROPERTY_TEXT_MAX];
    const char *name;
    if (property->ignored)
        return;
    (void)fprintf(stream, "\n# %s:%u\n[%s]\n", property->file, property->line, property->section);
    if (property->thing)
        (void)fprintf(stream, "Thing=%s\n", property->thing);
    if (property->shadow)
        (void)fprintf(stream, "Shadow=%s\n", property->shadow);
    for (size_t i = 0; (name = config_property_key(property, i, text)); i++) {
        if (*text)
            (void)fprintf(stream, "%s=%s\n", name, text);
    }
}

/* What a value is shown as: what is secret in it is not. */
static void print_value(const struct config_key *key, const char *text, FILE *stream)
{
    char masked[2 * CONFIG_TEXT_MAX];
    if (key->type == CONFIG_PROXY_URL) {
        proxy_address_mask(text, masked, sizeof(masked));
        text = masked;
    } else if (key == config_key(CONFIG_PRIVATE_KEY)) {
        key_reference_mask(text, masked, sizeof(masked));
        text = masked;
    }
    (void)fprintf(stream, "%s=%s\n", key->name, text);
}

/* Of a section with a mistake the head alone, so that nobody takes it for one that counts. */
static void print_accesses(const struct config *config, FILE *stream)
{
    if (config->access_count == 0)
        (void)fprintf(stream, "\n# what cannot be read may say it, and grants nothing\n[Access]\n");
    for (size_t i = 0; i < config->access_count; i++) {
        const struct config_access *access = &config->accesses[i];
        (void)fprintf(stream, "\n# %s:%u%s\n[%s]\n", access->file, access->line,
                      access->is_void ? ": there is a mistake in it, it grants nothing" : "",
                      access->section);
        for (size_t key = 0; !access->is_void && key < CONFIG_ACCESS_KEY_COUNT; key++) {
            if (access->texts[key])
                (void)fprintf(stream, "%s=%s\n",
                              config_access_key_name((enum config_access_key)key),
                              access->texts[key]);
        }
    }
}

void config_print(const struct config *config, FILE *stream)
{
    const char *section = "";
    for (unsigned id = 0; id < CONFIG_ID_COUNT; id++) {
        const struct config_key *key = config_key((enum config_id)id);
        const struct config_value *value = &config->values[id];
        if (strcmp(section, key->section) != 0)
            (void)fprintf(stream, "%s[%s]\n", *section ? "\n" : "", key->section);
        section = key->section;
        if (value->file)
            (void)fprintf(stream, "# %s:%u\n", value->file, value->line);
        else
            (void)fprintf(stream, "# default\n");
        print_value(key, value->text, stream);
    }
    if (config->has_access)
        print_accesses(config, stream);
    for (size_t i = 0; i < config->property_count; i++)
        print_property(&config->properties[i], stream);
}
