/*
 * words.cpp - roost from C++: tasks that are lambdas, in scopes that end with
 * their block, with a typed channel between them; and what becomes of their
 * exceptions. On the virtual clock.
 */
#include "roost.hpp"

#include <cstdio>
#include <stdexcept>
#include <string>

using namespace std::string_literals;

struct word {
    char text[16];
    int number;
};

static void count_letters()
{
    static const char *const text[] = {"tasks", "come", "home", "to", "roost"};
    roost::channel<word> words(2);
    std::atomic<int> letters{0};

    {
        roost::scope s;

        s.spawn([&] {
            for (int i = 0; i < 5; i++) {
                word w{"", i};

                std::snprintf(w.text, sizeof w.text, "%s", text[i]);
                words.send(w); /* waits while it is full */
            }
            words.close();
        });
        for (int i = 0; i < 3; i++) {
            s.spawn([&] {
                while (auto w = words.recv()) {
                    letters += static_cast<int>(std::string(w->text).size());
                }
            });
        }
    } /* all have ended here: they may use what stands above */
    std::printf("%d letters\n", letters.load());
}

/* Notes that it was destroyed, also when its task is cancelled. */
struct witness {
    bool &gone;

    ~witness()
    {
        gone = true;
    }
};

static void fail_in_a_child()
{
    bool unwound = false;

    try {
        roost::scope s;

        s.spawn([&] {
            witness w{unwound};

            roost::check(roost_sleep(60 * ROOST_S)); /* throws cancelled */
        });
        s.spawn([] {
            roost::check(roost_sleep(ROOST_MS));
            throw std::out_of_range("no such page");
        });
    } catch (const std::out_of_range &e) {
        std::printf("a child threw: %s; its sibling unwound: %s\n", e.what(),
                    unwound ? "yes" : "no");
    }
}

static void fail_in_the_block()
{
    bool unwound = false;

    try {
        roost::scope s;

        s.spawn([&] {
            witness w{unwound};

            roost::check(roost_sleep(60 * ROOST_S));
        });
        roost::check(roost_sleep(ROOST_MS));
        throw "thrown"s;
    } catch (const std::string &what) {
        std::printf("the block was left: %s; its child unwound: %s\n",
                    what.c_str(), unwound ? "yes" : "no");
    }
}

static void run_out_of_time()
{
    roost_scope_opts opts = {};

    opts.timeout = 20 * ROOST_MS;
    try {
        roost::in_scope(opts, [](roost::scope &) {
            roost::check(roost_sleep(60 * ROOST_S)); /* the body itself */
        });
    } catch (const std::system_error &e) {
        std::printf("timed out: %s\n",
                    e.code() == std::errc::timed_out ? "yes" : "no");
    }
}

int main()
{
    roost_opts opts = {};

    opts.clock = ROOST_CLOCK_VIRTUAL;
    roost::run(
        [] {
            count_letters();
            fail_in_a_child();
            fail_in_the_block();
            run_out_of_time();
        },
        opts);
    try {
        roost::run([] { roost::check(ROOST_USER(7)); });
    } catch (const std::system_error &e) {
        std::printf("main failed with our own %d\n",
                    e.code().value() + ROOST_USER(0));
    }
}
