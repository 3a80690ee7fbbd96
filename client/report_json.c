/* The calls that report JSON: taken apart into the operations of a report. */
#include "client/client.h"
#include "proto/json_flatten.h"
#include "proto/utf8.h"
#include <errno.h>
#include <string.h>

int client_add_json(struct fluxaws_client *client, struct changes *changes, const char *pointer,
                    const char *json)
{
    if (json == NULL)
        return client_fail(client, -EINVAL, "no JSON given");
    size_t size = strlen(json);
    if (!flux_utf8_is_valid(json, size))
        return client_fail(client, -EILSEQ, "the JSON is not UTF-8");
    struct flux_json_flatten flatten;
    int r =
        flux_json_flatten_init(&flatten, json, size, pointer, strlen(pointer), FLUX_PATH_DEPTH_MAX);
    struct flux_change change;
    while (r >= 0 && (r = flux_json_flatten_next(&flatten, &change)) == 1)
        r = changes_add(changes, &change);
    if (r < 0 && flatten.error_text != NULL)
        (void)client_fail(client, r, "JSON, byte %llu%s%.80s: %s",
                          (unsigned long long)flatten.error_offset,
                          flatten.path_size > 0 ? ", at " : "", flatten.path, flatten.error_text);
    flux_json_flatten_clear(&flatten);
    return r;
}

int fluxaws_set_json(struct fluxaws_client *client, const char *path, const char *json)
{
    char pointer[FLUX_PATH_BYTES_MAX + 1];
    int r = client_canonical_path(client, path, pointer);
    return client_finish_report(
        client, r < 0 ? r : client_add_json(client, &client->changes, pointer, json));
}

int fluxaws_report_json(struct fluxaws_client *client, const char *document)
{
    return client_finish_report(client, client_add_json(client, &client->changes, "", document));
}

/* Remove what is there, then set what stays: in one report, so that nobody sees it half done. */
static int add_replacement(struct fluxaws_client *client, const char *path, const char *document)
{
    char pointer[FLUX_PATH_BYTES_MAX + 1];
    int r = client_canonical_part(client, path, pointer);
    if (r < 0)
        return r;
    struct flux_change change = {.kind = FLUX_UNSET, .path = pointer, .path_size = strlen(pointer)};
    r = changes_add(&client->changes, &change);
    if (r == 0)
        r = client_add_json(client, &client->changes, pointer, document);
    if (r == 0 && client->changes.frame_bytes > client->frame_bytes_max)
        return client_fail(client, -EMSGSIZE,
                           "a replacement is one report, and this one takes %zu bytes where the "
                           "daemon's MaxFrameBytes is %zu: replace smaller parts",
                           client->changes.frame_bytes, client->frame_bytes_max);
    return r;
}

int fluxaws_replace_json(struct fluxaws_client *client, const char *path, const char *document)
{
    return client_finish_report(client, add_replacement(client, path, document));
}
