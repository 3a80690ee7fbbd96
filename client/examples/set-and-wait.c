/* The smallest useful program: report one value, wait until the cloud has it, say at which version
 * of the shadow. */
#include "client/fluxaws.h"
#include <stdio.h>

static void show_answer(struct fluxaws_client *client, const struct fluxaws_answer *answer,
                        void *data)
{
    (void)client;
    (void)data;
    if (answer->rejected)
        printf("rejected: %s: %s (code %d)\n", answer->path, answer->text, answer->code);
    else if (answer->level == FLUXAWS_ACCEPTED)
        printf("accepted at version %lld\n", (long long)answer->version);
}

int main(void)
{
    struct fluxaws_client *client = NULL;
    int r = fluxaws_open(&client, NULL);
    if (r < 0) {
        fprintf(stderr, "cannot open: %s\n", fluxaws_strerror(r));
        return 1;
    }
    fluxaws_on_answer(client, show_answer, NULL);
    fluxaws_want(client, FLUXAWS_ACCEPTED);
    r = fluxaws_set_double(client, "battery.level", 81.5);
    if (r == 0)
        r = fluxaws_flush(client, FLUXAWS_ACCEPTED, 30000);
    if (r < 0)
        fprintf(stderr, "battery.level: %s\n", fluxaws_error_text(client));
    client = fluxaws_close(client);
    return r < 0 ? 1 : 0;
}
