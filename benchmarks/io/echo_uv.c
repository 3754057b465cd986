/*
 * echo_uv.c - the same on libuv, as its own examples write it: one thread.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

struct message {
    uv_write_t request;
    uv_buf_t buf;
};

static void allocate(uv_handle_t *h, size_t n, uv_buf_t *buf)
{
    (void)h;
    *buf = uv_buf_init(malloc(n), (unsigned)n);
}

static void free_handle(uv_handle_t *h)
{
    free(h);
}

static void written(uv_write_t *request, int status)
{
    struct message *m = (struct message *)request;

    (void)status;
    free(m->buf.base);
    free(m);
}

static void has_read(uv_stream_t *from, ssize_t n, const uv_buf_t *buf)
{
    struct message *m;

    if (n <= 0) {
        free(buf->base);
        if (n < 0) {
            uv_close((uv_handle_t *)from, free_handle);
        }
        return;
    }
    m = malloc(sizeof *m);
    m->buf = uv_buf_init(buf->base, (unsigned)n);
    uv_write(&m->request, from, &m->buf, 1, written);
}

static void connected(uv_stream_t *listener, int status)
{
    uv_tcp_t *c = malloc(sizeof *c);

    (void)status;
    uv_tcp_init(uv_default_loop(), c);
    if (uv_accept(listener, (uv_stream_t *)c) == 0) {
        uv_read_start((uv_stream_t *)c, allocate, has_read);
    }
}

static void ended(uv_stream_t *in, ssize_t n, const uv_buf_t *buf)
{
    (void)in;
    (void)buf;
    if (n < 0) {
        exit(0);
    }
}

int main(void)
{
    uv_tcp_t listener;
    uv_pipe_t in;
    struct sockaddr_in at;
    int len = sizeof at;

    uv_tcp_init(uv_default_loop(), &listener);
    uv_ip4_addr("127.0.0.1", 0, &at);
    uv_tcp_bind(&listener, (const struct sockaddr *)&at, 0);
    if (uv_listen((uv_stream_t *)&listener, 4096, connected) != 0) {
        return 1;
    }
    uv_tcp_getsockname(&listener, (struct sockaddr *)&at, &len);
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    uv_pipe_init(uv_default_loop(), &in, 0);
    uv_pipe_open(&in, 0);
    uv_read_start((uv_stream_t *)&in, allocate, ended);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
