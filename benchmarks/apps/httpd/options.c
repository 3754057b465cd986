/*
 * options.c - the command line, and times with a unit.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/duration.h"

static const char usage[] =
    "usage: httpd [OPTION]...\n"
    "A small HTTP/1.1 server that computes: /hash /thumb /fan /sleep /stream\n"
    "/metrics /debug/tasks. SIGTERM ends it: what runs may finish.\n"
    "  --host NAME         address to listen on (all)\n"
    "  --port N            0: any, which is printed (8080)\n"
    "  --workers N         (the processors)\n"
    "  --running N         heavy requests at a time (as many as workers)\n"
    "  --queue N           heavy requests that may wait; more get 503 (64)\n"
    "  --connections N     at a time (16384)\n"
    "  --header-max BYTES  (8192)\n"
    "  --body-max BYTES    (65536)\n"
    "  --deadline TIME     of a request, and the most it may ask for (10s)\n"
    "  --read-time TIME    for a request to arrive (5s)\n"
    "  --write-time TIME   for a piece of the reply to be taken (5s)\n"
    "  --idle-time TIME    between two requests (60s)\n"
    "  --grace TIME        for what runs at the end (5s)\n"
    "TIME: 500us, 20ms, 1.5s\n";

static bool number_read(const char *text, unsigned long *value)
{
    char *end;

    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    errno = 0;
    *value = strtoul(text, &end, 10);
    return *end == '\0' && errno == 0 && *value <= INT32_MAX;
}

/* One option, by its letter. False: its argument is wrong. */
static bool take(struct options *o, int letter, const char *text)
{
    roost_ns *times[] = {['d'] = &o->deadline,
                         ['r'] = &o->read_time,
                         ['t'] = &o->write_time,
                         ['i'] = &o->idle_time,
                         ['g'] = &o->grace};
    unsigned *counts[] = {['w'] = &o->workers,
                          ['n'] = &o->running,
                          ['q'] = &o->queue,
                          ['c'] = &o->connections};
    size_t *sizes[] = {['H'] = &o->header_max, ['B'] = &o->body_max};
    size_t i = (size_t)letter;
    unsigned long value;

    if (i < sizeof times / sizeof *times && times[i] != NULL) {
        return duration_read(text, false, times[i]) && *times[i] > 0;
    }
    if (!number_read(text, &value) || (value == 0 && letter != 'q')) {
        return false;
    }
    if (i < sizeof counts / sizeof *counts && counts[i] != NULL) {
        *counts[i] = (unsigned)value;
    } else {
        *sizes[i] = value;
    }
    return true;
}

static const struct option names[] = {
    {"help", no_argument, NULL, 'h'},
    {"host", required_argument, NULL, 'a'},
    {"port", required_argument, NULL, 'p'},
    {"workers", required_argument, NULL, 'w'},
    {"running", required_argument, NULL, 'n'},
    {"queue", required_argument, NULL, 'q'},
    {"connections", required_argument, NULL, 'c'},
    {"header-max", required_argument, NULL, 'H'},
    {"body-max", required_argument, NULL, 'B'},
    {"deadline", required_argument, NULL, 'd'},
    {"read-time", required_argument, NULL, 'r'},
    {"write-time", required_argument, NULL, 't'},
    {"idle-time", required_argument, NULL, 'i'},
    {"grace", required_argument, NULL, 'g'},
    {0},
};

static bool end_with(int *status, int value, const char *said)
{
    fputs(said, value == 0 ? stdout : stderr);
    *status = value;
    return false;
}

bool options_read(struct options *o, int argc, char **argv, int *status)
{
    int letter;

    *o = (struct options){
        .port = "8080",
        .queue = 64,
        .connections = 16384,
        .header_max = 8192,
        .body_max = 65536,
        .deadline = 10 * ROOST_S,
        .read_time = 5 * ROOST_S,
        .write_time = 5 * ROOST_S,
        .idle_time = 60 * ROOST_S,
        .grace = 5 * ROOST_S,
    };
    while ((letter = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (letter == 'h') {
            return end_with(status, 0, usage);
        }
        if (letter == 'a') {
            o->host = optarg;
        } else if (letter == 'p') {
            o->port = optarg;
        } else if (letter == '?') {
            return end_with(status, 2, usage);
        } else if (!take(o, letter, optarg)) {
            fprintf(stderr, "httpd: not understood: '%s'\n", optarg);
            return end_with(status, 2, usage);
        }
    }
    return optind == argc || end_with(status, 2, usage);
}
