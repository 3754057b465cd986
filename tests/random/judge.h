/*
 * judge.h - runs random programs: in this process, or in one of their own,
 * where they may die.
 */
#ifndef RANDOM_JUDGE_H
#define RANDOM_JUDGE_H

#include "program.h"

#include <stdbool.h>

struct verdict {
    char said[200]; /* "" nothing is wrong */
    int at;         /* at which operation; -1: at none in particular */
    uint64_t log;   /* a hash of what happened */
};

/* Runs it here. */
void judge_here(const struct program *p, struct verdict *v);
/* The same in a child, so that a crash and a hang are verdicts too; the first
 * of `seeds` seeds, from its own on, for which it fails, which it then has. */
void judge_apart(struct program *p, unsigned seeds, struct verdict *v);
/* What waitpid(2) has told of a child that was to judge. "" if it was well. */
void judge_death(int status, char *said, size_t size);
/* In a child: no core, no talk. */
void judge_quietly(void);

/* Makes a failing program small: it fails in the same way. */
void shrink(struct program *p, struct verdict *v);

#endif
