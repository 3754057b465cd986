/*
 * roost.hpp - roost for C++17, in one header to copy and to change: statuses as
 * exceptions, scopes that close in their destructor, tasks that are lambdas,
 * channels of a type.
 *
 * No exception may leave a task's function. Here one that leaves a lambda is
 * its task's failure, and leaves the scope's close in the parent as what it
 * was. A cancelled wait throws roost::cancelled, which unwinds the task.
 */
#ifndef ROOST_HPP
#define ROOST_HPP

#include <roost/roost.h>

#include <atomic>
#include <cerrno>
#include <exception>
#include <memory>
#include <optional>
#include <system_error>
#include <type_traits>

namespace roost {

/* No std::exception, so that what catches those lets it pass. */
struct cancelled {};

/* A status >= 0 as it is; a negative one as an exception, whose code() has the
 * value -status, also of a ROOST_USER(n). */
inline int check(int status)
{
    if (status == -ECANCELED) {
        throw cancelled();
    }
    if (status < 0) {
        throw std::system_error(-status, std::generic_category());
    }
    return status;
}

/* The other way round, in a catch block; what() travels as the message. */
inline int status_of_thrown() noexcept
{
    try {
        throw;
    } catch (const cancelled &) {
        return -ECANCELED;
    } catch (const std::bad_alloc &) {
        return -ENOMEM;
    } catch (const std::system_error &e) {
        auto is = e.code().default_error_condition();
        bool known = is.category() == std::generic_category() && is.value() > 0;

        return roost_fail(known ? -is.value() : ROOST_USER(0), "%s", e.what());
    } catch (const std::exception &e) {
        return roost_fail(ROOST_USER(0), "%s", e.what());
    } catch (...) {
        return roost_fail(ROOST_USER(0), "of unknown type");
    }
}

class scope {
    roost_scope scope_;
    bool open_ = true;
    int exceptions_ = std::uncaught_exceptions(); /* under way at the opening */
    std::atomic_flag failed_ = ATOMIC_FLAG_INIT; /* set by the first to fail, */
    std::exception_ptr first_;                   /* who writes these; */
    int first_status_ = 0;                       /* read after the close */

    template <class F> static int run(void *arg)
    {
        std::unique_ptr<task<F>> self(static_cast<task<F> *>(arg));

        try {
            if constexpr (std::is_void_v<decltype(self->fn())>) {
                self->fn();
                return 0;
            } else {
                return self->fn();
            }
        } catch (...) {
            return self->into.keep();
        }
    }
    template <class F> struct task {
        scope &into;
        F fn;
    };

  public:
    explicit scope(const roost_scope_opts &opts = {})
    {
        roost_scope_open(&scope_, &opts);
    }
    scope(const scope &) = delete;
    scope &operator=(const scope &) = delete;

    /* Waits for the children, and throws as close does. Left by an exception
     * it cancels them first, and that one goes on. */
    ~scope() noexcept(false)
    {
        if (open_ && std::uncaught_exceptions() > exceptions_) {
            roost_scope_cancel(&scope_, 0);
            (void)roost_scope_close(&scope_, 0);
        } else if (open_) {
            close();
        }
    }

    /* Spawns fn(), which returns nothing or a status. (Not with ROOST_SKIP:
     * what never runs would never be freed.) */
    template <class F> void spawn(F &&fn)
    {
        using own = std::decay_t<F>;
        std::unique_ptr<task<own>> t(new task<own>{*this, std::forward<F>(fn)});

        check(roost_spawn(&scope_, run<own>, t.get()));
        (void)t.release(); /* run has it */
    }

    /* Waits for the children. Throws the first failure, as what it was. */
    int close(int body = 0)
    {
        open_ = false;
        int status = roost_scope_close(&scope_, body);

        if (status < 0 && first_ && status == first_status_) {
            std::rethrow_exception(first_);
        }
        return check(status);
    }

    /* In a catch block: its status; close throws it if it was the first. */
    int keep() noexcept
    {
        int status = status_of_thrown();

        if (status != -ECANCELED && !failed_.test_and_set()) {
            first_ = std::current_exception();
            first_status_ = status;
        }
        return status;
    }

    roost_scope *get() noexcept
    {
        return &scope_;
    }
};

/* body(s) in a scope s. What comes out is what the scope says: so a time-out
 * or a cancel that body itself meets ends at the scope that it was of. */
template <class F> int in_scope(const roost_scope_opts &opts, F &&body)
{
    scope s(opts);
    int status = 0;

    try {
        body(s);
    } catch (...) {
        status = s.keep();
    }
    return s.close(status);
}

template <class T> class channel {
    static_assert(std::is_trivially_copyable_v<T>, "items are copied as bytes");
    std::unique_ptr<roost_chan, void (*)(roost_chan *)> chan_;

  public:
    explicit channel(std::size_t capacity)
        : chan_(roost_chan_new(sizeof(T), capacity), roost_chan_free)
    {
        if (!chan_) {
            throw std::bad_alloc();
        }
    }
    void send(const T &item)
    {
        check(roost_chan_send(chan_.get(), &item));
    }
    std::optional<T> recv() /* nothing: it is closed and drained */
    {
        T item;
        int status = roost_chan_recv(chan_.get(), &item);

        if (status == -EPIPE) {
            return std::nullopt;
        }
        check(status);
        return item;
    }
    void close() noexcept
    {
        roost_chan_close(chan_.get());
    }
};

/* main() as the first task of a runtime. What it throws comes out. */
template <class F> void run(F main, const roost_opts &opts = {})
{
    struct call {
        F &main;
        std::exception_ptr thrown;
    } all{main, nullptr};
    int status = roost_run(
        [](void *arg) {
            auto c = static_cast<call *>(arg);

            try {
                c->main();
                return 0;
            } catch (...) {
                c->thrown = std::current_exception();
                return status_of_thrown();
            }
        },
        &all, &opts);

    if (all.thrown) {
        std::rethrow_exception(all.thrown);
    }
    check(status);
}

} // namespace roost

#endif
