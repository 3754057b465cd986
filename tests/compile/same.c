/*
 * same.c - what typed.h must not cost: compiled with TYPED and without, this
 * file must become the same instructions.
 */
#include <roost/typed.h>

struct job {
    int id;
    char text[60];
};

#ifdef TYPED
typedef ROOST_CHAN_OF(struct job) job_chan;
#define NEW(c, n) (roost_typed_new(&(c), (n)) == 0)
#define SEND roost_typed_send
#define SEND_UNTIL roost_typed_send_until
#define RECV roost_typed_recv
#define RECV_MANY roost_typed_recv_many
#define ON_RECV roost_typed_on_recv
#define FOR_EACH ROOST_TYPED_FOR_EACH
#define CLOSE(c) roost_chan_close((c).chan)
#else
typedef roost_chan *job_chan;
#define NEW(c, n) (((c) = roost_chan_new_opts(64, (n), NULL)) != NULL)
#define SEND roost_chan_send
#define SEND_UNTIL roost_chan_send_until
#define RECV roost_chan_recv
#define RECV_MANY roost_chan_recv_many
#define ON_RECV roost_on_recv
#define FOR_EACH ROOST_FOR_EACH
#define CLOSE roost_chan_close
#endif

int use(job_chan from, job_chan to);
int relay(job_chan from, job_chan to);
bool start(job_chan *c);

int use(job_chan from, job_chan to)
{
    struct job j[4] = {{0}};
    roost_case cases[1] = {ON_RECV(from, &j[1])};
    int n = RECV_MANY(from, j, 4);

    n += RECV(from, j) + roost_select(cases, 1);
    n += SEND_UNTIL(to, &j[2], ROOST_S);
    CLOSE(to);
    return n;
}

int relay(job_chan from, job_chan to)
{
    int rc;

    FOR_EACH(struct job, j, from, rc)
    {
        rc = SEND(to, &j);
        if (rc < 0) {
            break;
        }
    }
    return rc;
}

bool start(job_chan *c)
{
    return NEW(*c, 16);
}
