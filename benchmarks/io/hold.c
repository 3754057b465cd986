/*
 * hold.c - holds connections to an echo server that have each sent one message
 * and got it back, and are then silent.
 *
 *     hold PORT CONNECTIONS      prints how many there are; ends when its
 *                                standard input does
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIZE 64

/* True: it is connected and has had its answer. */
static int talk(int fd, int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    char out[SIZE];
    char in[SIZE];

    memset(out, 'a' + fd % 26, SIZE);
    at.sin_port = htons((uint16_t)port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
           send(fd, out, SIZE, MSG_NOSIGNAL) == SIZE &&
           recv(fd, in, SIZE, MSG_WAITALL) == SIZE &&
           memcmp(in, out, SIZE) == 0;
}

int main(int argc, char **argv)
{
    int port = argc > 2 ? atoi(argv[1]) : 0;
    int wanted = argc > 2 ? atoi(argv[2]) : 0;
    char end;

    if (port <= 0 || wanted <= 0) {
        fprintf(stderr, "hold PORT CONNECTIONS\n");
        return 2;
    }
    for (int i = 0; i < wanted; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        if (fd < 0 || !talk(fd, port)) {
            perror("hold");
            return 1;
        }
    }
    printf("%d\n", wanted);
    fflush(stdout);
    return read(0, &end, 1) < 0;
}
