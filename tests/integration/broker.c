#include "tests/integration/broker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *format, ...)
{
    char command[2048];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    if (system(command) != 0)
        fail_msg("failed: %s", command);
}

static bool is_free(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bool bound = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return bound;
}

/* Below what the kernel hands out: while no broker listens, nobody gets it for something else. */
static uint16_t free_port(void)
{
    enum { FIRST = 10000, COUNT = 20000 };
    unsigned at = (unsigned)getpid() * 7919u;
    for (unsigned tries = 0; tries < COUNT; tries++) {
        const uint16_t port = (uint16_t)(FIRST + (at + tries) % COUNT);
        if (is_free(port))
            return port;
    }
    fail_msg("no free port");
    return 0;
}

static void make_certificates(const struct broker *broker)
{
    static const char key[] = "openssl ecparam -name prime256v1 -genkey -noout -out";
    run("cd %s && exec 2>openssl.log && for ca in ca other-ca; do %s $ca.key && "
        "openssl req -x509 -new -key $ca.key -subj /CN=$ca -days 2 -out $ca.pem; done",
        broker->directory, key);
    run("cd %s && exec 2>>openssl.log && "
        "printf 'subjectAltName=DNS:localhost' > server.ext && "
        "make() { %s $1.key && openssl req -new -key $1.key -subj /CN=$2 | "
        "openssl x509 -req -CA $3.pem -CAkey $3.key -CAcreateserial -days 2 $4 -out $1.pem; } && "
        "make server localhost ca '-extfile server.ext' && make device thing-1 ca && "
        "make stranger thing-2 other-ca",
        broker->directory, key);
}

static void set_path(char ret_path[static BROKER_PATH_MAX], const struct broker *broker,
                     const char *name)
{
    (void)snprintf(ret_path, BROKER_PATH_MAX, "%s/%s", broker->directory, name);
}

void broker_prepare(struct broker *broker)
{
    memset(broker, 0, sizeof(*broker));
    const char *base = getenv("TMPDIR");
    (void)snprintf(broker->directory, sizeof(broker->directory), "%.40s/flux-link.XXXXXX",
                   base ? base : "/tmp");
    assert_non_null(mkdtemp(broker->directory));
    set_path(broker->ca, broker, "ca.pem");
    set_path(broker->other_ca, broker, "other-ca.pem");
    set_path(broker->certificate, broker, "device.pem");
    set_path(broker->key, broker, "device.key");
    set_path(broker->stranger_certificate, broker, "stranger.pem");
    set_path(broker->stranger_key, broker, "stranger.key");
    make_certificates(broker);
    broker->port = free_port();
}

static void write_configuration(const struct broker *broker, const char *path)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    if (geteuid() == 0)
        (void)fprintf(file, "user root\n");
    (void)fprintf(file,
                  "listener %u 127.0.0.1\n"
                  "allow_anonymous %s\n"
                  "cafile %s\ncertfile %s/server.pem\nkeyfile %s/server.key\n"
                  "require_certificate true\n"
                  "max_packet_size %d\nlog_dest none\n",
                  (unsigned)broker->port, broker->is_closed ? "false" : "true", broker->ca,
                  broker->directory, broker->directory, BROKER_PACKET_MAX);
    assert_int_equal(fclose(file), 0);
}

static bool answers(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bool connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return connected;
}

/* Returns 0 in the child, whose output goes nowhere and whose input never ends. */
static pid_t spawn(void)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    (void)dup2(null_fd, STDOUT_FILENO);
    (void)dup2(null_fd, STDERR_FILENO);
    int endless[2];
    if (pipe(endless) == 0)
        (void)dup2(endless[0], STDIN_FILENO);
    return 0;
}

static void wait_until_listening(const struct broker *broker)
{
    for (int i = 0; i < 6000 && !answers(broker->port); i++)
        usleep(10000);
    assert_true(answers(broker->port));
}

void broker_start(struct broker *broker)
{
    char path[BROKER_PATH_MAX];
    set_path(path, broker, "mosquitto.conf");
    write_configuration(broker, path);
    broker->pid = spawn();
    if (broker->pid == 0) {
        (void)execlp("mosquitto", "mosquitto", "-c", path, (char *)NULL);
        (void)execl("/usr/sbin/mosquitto", "mosquitto", "-c", path, (char *)NULL);
        _exit(127);
    }
    wait_until_listening(broker);
}

void broker_start_mute(struct broker *broker)
{
    char port[8];
    (void)snprintf(port, sizeof(port), "%u", (unsigned)broker->port);
    broker->pid = spawn();
    if (broker->pid == 0) {
        if (chdir(broker->directory) == 0)
            (void)execlp("openssl", "openssl", "s_server", "-accept", port, "-cert", "server.pem",
                         "-key", "server.key", "-CAfile", "ca.pem", "-Verify", "1", "-quiet",
                         (char *)NULL);
        _exit(127);
    }
    wait_until_listening(broker);
}

void broker_start_odd(struct broker *broker, const char *program, const char *how)
{
    char port[8];
    (void)snprintf(port, sizeof(port), "%u", (unsigned)broker->port);
    broker->pid = spawn();
    if (broker->pid == 0) {
        (void)execlp("python3", "python3", program, port, broker->directory, how, (char *)NULL);
        _exit(127);
    }
    wait_until_listening(broker);
}

void broker_kill(struct broker *broker)
{
    if (broker->pid <= 0)
        return;
    (void)kill(broker->pid, SIGKILL);
    (void)waitpid(broker->pid, NULL, 0);
    broker->pid = 0;
}

void broker_freeze(struct broker *broker)
{
    assert_int_equal(kill(broker->pid, SIGSTOP), 0);
}

void broker_thaw(struct broker *broker)
{
    assert_int_equal(kill(broker->pid, SIGCONT), 0);
}

void broker_connect_as(const struct broker *broker, const char *client_id)
{
    run("mosquitto_pub -V 5 -i %s -h localhost -p %u --cafile %s --cert %s --key %s -t x -m x",
        client_id, (unsigned)broker->port, broker->ca, broker->certificate, broker->key);
}

void broker_clear(struct broker *broker)
{
    broker_kill(broker);
    if (broker->directory[0] == '/')
        run("rm -rf '%s'", broker->directory);
}

struct mqtt_link_config broker_config(const struct broker *broker)
{
    return (struct mqtt_link_config){
        .host = "localhost",
        .port = broker->port,
        .client_id = "thing-1",
        .protocol = 5,
        .keep_alive_sec = 30,
        .connect_timeout_ms = 30000,
        .credentials = {broker->ca, broker->certificate, broker->key},
    };
}
