/*
 * counts.c - what a process has counted is written down by exit alone: here
 * also by _exit, in whose place this is linked, and by an abort that is
 * expected. The counts of a process that is killed are lost.
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

void test_write_counts(int signal)
{
    (void)signal;
    __gcov_dump();
}
#endif

void __wrap__exit(int status)
{
    test_write_counts(0);
    __real__exit(status);
}
