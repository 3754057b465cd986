/*
 * manual.h - what the tests of the manual's examples share. NAME_test.c has the
 * example of docs/man/NAME.[37], as it stands there, and what the page leaves
 * to its reader, and calls it. What the example prints is kept in `said`.
 */
#ifndef ROOST_TEST_MANUAL_H
#define ROOST_TEST_MANUAL_H

#include "test.h"
#include <arpa/inet.h>
#include <stdarg.h>
#include <sys/socket.h>

TEST_UNUSED static char said[4096];

TEST_UNUSED static int say_more(const char *format, va_list args)
{
    static roost_mutex lock = ROOST_MUTEX_INIT;
    size_t n;

    (void)roost_mutex_lock(&lock);
    n = strlen(said);
    vsnprintf(said + n, sizeof said - n, format, args);
    (void)roost_mutex_unlock(&lock);
    return 1;
}

TEST_UNUSED static int say(const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = say_more(format, args);
    va_end(args);
    return n;
}

TEST_UNUSED static int say_to(FILE *file, const char *format, ...)
{
    va_list args;
    int n;

    (void)file;
    va_start(args, format);
    n = say_more(format, args);
    va_end(args);
    return n;
}

/* A port of this machine that nobody listens at. */
TEST_UNUSED static const char *free_port(void)
{
    static char text[16];
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *)&at, size) == 0 &&
        getsockname(fd, (struct sockaddr *)&at, &size) == 0) {
        snprintf(text, sizeof text, "%d", ntohs(at.sin_port));
    }
    close(fd);
    return text;
}

/* Of fn in a process of its own, which has the signal waiting for it, if not
 * 0, and no thread that would die of it. What it returns. */
TEST_UNUSED static int in_child(int (*fn)(void), int signal)
{
    int status = -1;
    sigset_t set, old;
    pid_t pid;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, &old);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (signal != 0) {
            kill(getpid(), signal);
        }
        _exit(fn());
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int example_main(void);

#define printf(...) say(__VA_ARGS__)
#define puts(text) say("%s\n", text)
#define fprintf(file, ...) say_to(file, __VA_ARGS__)

#endif
