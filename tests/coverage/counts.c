/*
 * counts.c - what a process has counted is written down by exit alone: here
 * also by _exit, in whose place this is linked, and by an abort that is
 * expected. The counts of a process that is killed are lost.
 * A child of vfork(2) ends by _exit in its parent's memory: what is written
 * down there is counted anew from 0, so that the parent's exit adds the rest
 * (gcc's would otherwise write nothing more).
 */
void test_write_counts(int signal);
void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));

#ifdef __clang__
int __llvm_profile_write_file(void);

void test_write_counts(int signal)
{
    (void)signal;
    (void)__llvm_profile_write_file();
}
#else
void __gcov_dump(void);
void __gcov_reset(void);

void test_write_counts(int signal)
{
    (void)signal;
    __gcov_dump();
    __gcov_reset();
}
#endif

void __wrap__exit(int status)
{
    test_write_counts(0);
    __real__exit(status);
}
