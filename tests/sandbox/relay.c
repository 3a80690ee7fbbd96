/* fluxaws-relay: stands between devices and the sandbox's broker, so that the network can be cut,
 * made slow or made to swallow everything. It carries bytes and understands none of them.
 *
 *   fluxaws-relay PORT BROKER-SOCKET CONTROL-SOCKET    relay from 127.0.0.1:PORT (0: any free port)
 *   fluxaws-relay --tell CONTROL-SOCKET WORD...        up | down | blackhole | delay MS | status
 */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/sandbox/relay_control.h"
#include "tests/sandbox/relay_net.h"

static void on_signal(evutil_socket_t signal, short events, void *base)
{
    (void)signal;
    (void)events;
    event_base_loopbreak(base);
}

static int run(unsigned port, const char *broker_path, const char *control_path)
{
    struct event_base *base = event_base_new();
    struct event *term = base ? evsignal_new(base, SIGTERM, on_signal, base) : NULL;
    struct event *interrupt = base ? evsignal_new(base, SIGINT, on_signal, base) : NULL;
    struct relay_net *net = NULL;
    struct relay_control *control = NULL;
    int r = term && interrupt && event_add(term, NULL) == 0 && event_add(interrupt, NULL) == 0
                ? relay_net_new(base, port, broker_path, &net)
                : -ENOMEM;
    if (r < 0)
        fprintf(stderr, "fluxaws-relay: cannot listen on 127.0.0.1:%u: %s\n", port, strerror(-r));
    if (r == 0) {
        r = relay_control_new(base, control_path, net, &control);
        if (r < 0)
            fprintf(stderr, "fluxaws-relay: cannot listen on %s: %s\n", control_path, strerror(-r));
    }
    if (r == 0) {
        printf("%u\n", relay_net_port(net));
        fflush(stdout);
        event_base_dispatch(base);
    }
    relay_control_free(control);
    relay_net_free(net);
    if (term)
        event_free(term);
    if (interrupt)
        event_free(interrupt);
    if (base)
        event_base_free(base);
    return r < 0 ? 1 : 0;
}

/* Send the words to a running relay and print its answer. */
static int tell(const char *control_path, char *const words[])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(control_path) >= sizeof(address.sun_path)) {
        fprintf(stderr, "fluxaws-relay: path too long: %s\n", control_path);
        return 2;
    }
    strcpy(address.sun_path, control_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        fprintf(stderr, "fluxaws-relay: no relay answers at %s: %s\n", control_path,
                strerror(errno));
        if (fd >= 0)
            close(fd);
        return 3;
    }
    for (; *words; words++)
        dprintf(fd, "%s%s", *words, words[1] ? " " : "\n");
    char answer[256];
    size_t size = 0;
    ssize_t n;
    while (size < sizeof(answer) - 1 &&
           (n = read(fd, answer + size, sizeof(answer) - 1 - size)) > 0)
        size += (size_t)n;
    answer[size] = '\0';
    close(fd);
    if (strncmp(answer, "error", 5) == 0 || size == 0) {
        fprintf(stderr, "fluxaws-relay: %s", size ? answer : "no answer\n");
        return 1;
    }
    fputs(answer, stdout);
    return 0;
}

int main(int argc, char *argv[])
{
    signal(SIGPIPE, SIG_IGN);
    if (argc >= 4 && strcmp(argv[1], "--tell") == 0)
        return tell(argv[2], argv + 3);
    char *end = NULL;
    unsigned long port = argc == 4 ? strtoul(argv[1], &end, 10) : 0;
    if (argc != 4 || *end != '\0' || port > 65535) {
        fprintf(stderr, "usage: fluxaws-relay PORT BROKER-SOCKET CONTROL-SOCKET\n"
                        "       fluxaws-relay --tell CONTROL-SOCKET "
                        "up | down | blackhole | delay MS | status\n");
        return 2;
    }
    return run((unsigned)port, argv[2], argv[3]);
}
