/*
 * limits.c - what an emulator of programs cannot do, each by a few lines that
 * have nothing of roost.
 *
 * USE     limits NAME: 0, it can; else it cannot, however it ends. Asked when
 *         the tests are configured; the cases that need it, those of
 *         skipped.txt, are left out where it cannot.
 */
#define _GNU_SOURCE /* process_vm_readv, accept4 */
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static sem_t end;

static void *waits(void *arg)
{
    sem_wait(&end);
    return arg;
}

/* A child that was forked beside a thread makes a thread. (qemu-user 7.2 takes
 * the new one for that of the parent, and aborts.) */
static int thread_in_child(void)
{
    pthread_t thread;
    int status = 1;
    pid_t pid;

    if (sem_init(&end, 0, 0) != 0 ||
        pthread_create(&thread, NULL, waits, NULL) != 0) {
        return 1;
    }
    pid = fork();
    if (pid == 0) {
        sem_init(&end, 0, 1);
        _exit(pthread_create(&thread, NULL, waits, NULL) != 0 ||
              pthread_join(thread, NULL) != 0);
    }
    if (waitpid(pid, &status, 0) != pid) {
        status = 1;
    }
    sem_post(&end);
    pthread_join(thread, NULL);
    return status;
}

/* The kernel reads memory of this very process. (qemu-user 7.2 does not know
 * the call.) */
static int read_itself(void)
{
    int from = 17, to = 0;
    struct iovec local = {&to, sizeof to}, remote = {&from, sizeof from};

    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) !=
               (ssize_t)sizeof to ||
           to != from;
}

/* A connection that could not be accepted for want of a descriptor is there
 * when there is one. (valgrind 3.19 accepts it, sees the limit and closes it.)
 */
static int refused_accept(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    struct rlimit was, few;
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 ||
        listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&at, &size) != 0 ||
        connect(client, (struct sockaddr *)&at, sizeof at) != 0 ||
        getrlimit(RLIMIT_NOFILE, &was) != 0) {
        return 1;
    }
    few = was;
    few.rlim_cur = (rlim_t)client + 1;
    if (setrlimit(RLIMIT_NOFILE, &few) != 0 ||
        accept4(listener, NULL, NULL, 0) >= 0 ||
        setrlimit(RLIMIT_NOFILE, &was) != 0) {
        return 1;
    }
    return accept4(listener, NULL, NULL, 0) < 0;
}

/* A process can be waited for as a descriptor. (valgrind 3.19 does not know the
 * call; Linux does since 5.3.) */
static int process_as_descriptor(void)
{
#ifdef SYS_pidfd_open
    return syscall(SYS_pidfd_open, getpid(), 0) < 0;
#else
    return 1;
#endif
}

static char *page;

static void allow(int signal)
{
    (void)signal;
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

/* What has faulted is tried again after the handler, which has seen to it.
 * (valgrind 3.19 has it fault again and again, and counts an error.) */
static int mended_fault(void)
{
    struct sigaction act = {.sa_handler = allow};

    alarm(5);
    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED || sigaction(SIGSEGV, &act, NULL) != 0) {
        return 1;
    }
    *(volatile char *)page = 7;
    return *(volatile char *)page != 7;
}

static int computing; /* the kernel thread of the first of them */
static sem_t begun;

static void *compute(void *arg)
{
    if (arg != NULL) {
        computing = (int)syscall(SYS_gettid);
    }
    sem_post(&begun);
    while (sem_trywait(&end) != 0) {
    }
    return NULL;
}

/* Of two threads that compute each is seen to run, or to be ready to. (valgrind
 * runs one thread at a time: the other sleeps until it is its turn.) */
static int seen_running(void)
{
    char name[64], text[512];
    pthread_t thread, other;
    int others = 0;

    if (sem_init(&begun, 0, 0) != 0 || sem_init(&end, 0, 0) != 0 ||
        pthread_create(&thread, NULL, compute, &computing) != 0 ||
        pthread_create(&other, NULL, compute, NULL) != 0) {
        return 1;
    }
    for (int i = 0; i < 2; i++) {
        while (sem_wait(&begun) != 0) {
        }
    }
    snprintf(name, sizeof name, "/proc/self/task/%d/stat", computing);
    for (int i = 0; i < 1000; i++) {
        FILE *file = fopen(name, "re");
        const char *state =
            file != NULL && fgets(text, sizeof text, file) != NULL
                ? strrchr(text, ')')
                : NULL;

        others += state == NULL || state[2] != 'R';
        if (file != NULL) {
            fclose(file);
        }
    }
    sem_post(&end);
    sem_post(&end);
    pthread_join(thread, NULL);
    pthread_join(other, NULL);
    return others != 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "thread_in_child") == 0) {
        return thread_in_child() != 0;
    }
    if (argc == 2 && strcmp(argv[1], "read_itself") == 0) {
        return read_itself();
    }
    if (argc == 2 && strcmp(argv[1], "refused_accept") == 0) {
        return refused_accept();
    }
    if (argc == 2 && strcmp(argv[1], "process_as_descriptor") == 0) {
        return process_as_descriptor();
    }
    if (argc == 2 && strcmp(argv[1], "mended_fault") == 0) {
        return mended_fault();
    }
    if (argc == 2 && strcmp(argv[1], "seen_running") == 0) {
        return seen_running();
    }
    fprintf(stderr, "usage: limits thread_in_child|read_itself|refused_accept|"
                    "process_as_descriptor|mended_fault|seen_running\n");
    return 2;
}
