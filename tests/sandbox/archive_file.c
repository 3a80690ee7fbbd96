#include "tests/sandbox/archive_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/sandbox/cloud_json.h"

int archive_file_read(const char *path, struct shadow_service *service)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return errno == ENOENT ? 0 : -errno;
    json_t *archive = json_loadf(file, JSON_ALLOW_NUL, NULL);
    fclose(file);
    int r = archive ? shadow_service_import(service, archive) : -EINVAL;
    json_decref(archive);
    return r;
}

static int write_all(const char *path, const struct cloud_text *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    for (size_t done = 0; done < text->size;) {
        ssize_t n = write(fd, text->data + done, text->size - done);
        if (n < 0 && errno != EINTR) {
            int r = -errno;
            close(fd);
            return r;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return close(fd) < 0 ? -errno : 0;
}

int archive_file_write(const char *path, struct shadow_service *service)
{
    json_t *archive = shadow_service_export(service);
    if (!archive)
        return -ENOMEM;
    struct cloud_text text = {0};
    char *draft = NULL;
    cloud_json_write(&text, archive);
    json_decref(archive);
    int r = text.failed || asprintf(&draft, "%s.new", path) < 0 ? -ENOMEM : 0;
    if (r == 0)
        r = write_all(draft, &text);
    if (r == 0 && rename(draft, path) < 0)
        r = -errno;
    free(draft);
    free(text.data);
    return r;
}
