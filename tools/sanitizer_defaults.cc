// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Defaults of the sanitizers' runtimes, linked into every program and test (tools/build_defs.bzl).
//
// The runtimes call these functions at start, before main(); the environment (ASAN_OPTIONS and so
// on) still overrides them. Without a sanitizer nothing calls them.

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FAIRLEAD_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define FAIRLEAD_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define FAIRLEAD_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define FAIRLEAD_TSAN 1
#endif

#if defined(FAIRLEAD_ASAN)
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "halt_on_error=1:detect_stack_use_after_return=1:strict_string_checks=1:"
         "check_initialization_order=1:detect_leaks=1";
}

extern "C" const char* __ubsan_default_options();
extern "C" const char* __ubsan_default_options() { return "halt_on_error=1:print_stacktrace=1"; }

// gRPC and protobuf keep objects for the life of the process.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libgrpc_unsecure.so\n"; }
#endif

#if defined(FAIRLEAD_TSAN)
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() {
  return "halt_on_error=1:second_deadlock_stack=1";
}

// The packaged libraries are built without ThreadSanitizer, which cannot see their atomics.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:libgrpc_unsecure.so\n"
         "race:libgrpc++_unsecure.so\n"
         "race:libgpr.so\n"
         "race:libabsl_\n"
         "race:libprotobuf.so\n"
         "race:libspdlog.so\n";
}
#endif
