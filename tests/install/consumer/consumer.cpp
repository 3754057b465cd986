/*
 * consumer.cpp - the same stranger in C++, with a task that waits inside a
 * catch block.
 */
#include <roost/roost.h>

#include <array>
#include <cstdio>
#include <stdexcept>

static std::array<int, 42> done;

static int mark(void *arg)
{
    try {
        throw std::runtime_error("42");
    } catch (const std::exception &) {
        if (roost_yield() != 0) {
            return -1;
        }
        *static_cast<int *>(arg) = 1;
    }
    return 0;
}

static int run_all(void *)
{
    roost_scope s;

    roost_scope_open(&s, nullptr);
    for (int &one : done) {
        roost_spawn(&s, mark, &one);
    }
    return roost_scope_close(&s, 0);
}

int main()
{
    int count = 0;

    if (roost_run(run_all, nullptr, nullptr) != 0) {
        return 1;
    }
    for (int one : done) {
        count += one;
    }
    std::printf("%d of %zu tasks\n", count, done.size());
}
