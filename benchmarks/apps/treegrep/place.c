/* place.c - see place.h. */
#include "place.h"

#include <stdlib.h>

struct place *place_new(struct walk *w, char *path, enum kind kind,
                        bool operand)
{
    struct place *p = path == NULL ? NULL : calloc(1, sizeof *p);

    if (p == NULL) {
        free(path);
        return NULL;
    }
    p->walk = w;
    p->path = path;
    p->kind = kind;
    p->operand = operand;
    p->found = roost_chan_new(sizeof(struct pieces), 0);
    if (p->found == NULL) {
        place_free(p);
        return NULL;
    }
    return p;
}

void place_free(struct place *p)
{
    roost_chan_free(p->found);
    pieces_free(&p->rest);
    listing_free(p->listing);
    free(p->path);
    free(p);
}

void place_end(struct place *p, enum outcome outcome)
{
    p->outcome = outcome;
    roost_chan_close(p->found);
}
