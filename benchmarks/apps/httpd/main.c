/*
 * main.c - httpd: the command line, the runtime.
 */
#include "../common/signals.h"
#include "server.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* As many descriptors as it may have: a connection is one. */
static void raise_limit(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

int main(int argc, char **argv)
{
    static struct server server;
    struct options options;
    roost_opts opts = {.name = "httpd", .signals = &server.signals};
    int status;
    int rc;

    if (!options_read(&options, argc, argv, &status)) {
        return status;
    }
    raise_limit();
    server.options = &options;
    opts.workers = options.workers;
    signals_init(&server.signals);
    rc = roost_run(server_run, &server, &opts);
    if (rc < 0) {
        fprintf(stderr, "httpd: %s\n", strerror(-rc));
    }
    return rc < 0 ? 1 : 0;
}
