// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

// Shows the locking of the packaged Abseil to ThreadSanitizer; empty in every other build.
//
// Debian's Abseil is built without ThreadSanitizer, which therefore cannot see that its mutexes,
// condition variables and notifications order memory accesses, and would report a race for every
// variable that they guard. In a --config=tsan build the program defines these functions itself;
// they call the library's and tell the runtime what was acquired and released. The library's other
// users (gRPC) come here too.

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FAIRLEAD_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define FAIRLEAD_TSAN 1
#endif

#if defined(FAIRLEAD_TSAN)
#include <dlfcn.h>

#include <cstdlib>
#include <string>

#include "absl/base/config.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
extern "C" void AnnotateIgnoreReadsBegin(const char* file, int line);
extern "C" void AnnotateIgnoreReadsEnd(const char* file, int line);

#define FAIRLEAD_STRINGIFY_EXPANDED(x) #x
#define FAIRLEAD_STRINGIFY(x) FAIRLEAD_STRINGIFY_EXPANDED(x)

namespace {

// Abseil's own definition of a function, whose mangled name is `prefix`, the namespaces, `symbol`.
template <typename Function>
Function* Real(const char* prefix, const char* symbol) {
  const std::string inline_namespace = FAIRLEAD_STRINGIFY(ABSL_OPTION_INLINE_NAMESPACE_NAME);
  const std::string name = std::string(prefix) + "4absl" + std::to_string(inline_namespace.size()) +
                           inline_namespace + symbol;
  void* address = dlsym(RTLD_NEXT, name.c_str());
  if (address == nullptr) std::abort();
  return reinterpret_cast<Function*>(address);
}

void Acquired(const void* object) { __tsan_acquire(const_cast<void*>(object)); }
void Released(const void* object) { __tsan_release(const_cast<void*>(object)); }

// While a thread is inside of a conditional wait, the library evaluates the condition under the
// lock, before the acquisition can be told.
class ConditionReads {
 public:
  ConditionReads() { AnnotateIgnoreReadsBegin(__FILE__, __LINE__); }
  ~ConditionReads() { AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
  ConditionReads(const ConditionReads&) = delete;
  ConditionReads& operator=(const ConditionReads&) = delete;
};

// Calls Abseil's definition of the enclosing member function.
#define FAIRLEAD_REAL(result, types, prefix, symbol) \
  static auto* const real = Real<result types>(prefix, symbol)

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  FAIRLEAD_REAL(void, (Mutex*), "_ZN", "5Mutex4LockEv");
  real(this);
  Acquired(this);
}

bool Mutex::TryLock() {
  FAIRLEAD_REAL(bool, (Mutex*), "_ZN", "5Mutex7TryLockEv");
  const bool locked = real(this);
  if (locked) Acquired(this);
  return locked;
}

void Mutex::Unlock() {
  FAIRLEAD_REAL(void, (Mutex*), "_ZN", "5Mutex6UnlockEv");
  Released(this);
  real(this);
}

void Mutex::ReaderLock() {
  FAIRLEAD_REAL(void, (Mutex*), "_ZN", "5Mutex10ReaderLockEv");
  real(this);
  Acquired(this);
}

bool Mutex::ReaderTryLock() {
  FAIRLEAD_REAL(bool, (Mutex*), "_ZN", "5Mutex13ReaderTryLockEv");
  const bool locked = real(this);
  if (locked) Acquired(this);
  return locked;
}

void Mutex::ReaderUnlock() {
  FAIRLEAD_REAL(void, (Mutex*), "_ZN", "5Mutex12ReaderUnlockEv");
  Released(this);
  real(this);
}

// Await(), LockWhen() and their siblings end with the lock held, whatever they return; those of
// Await() give it away first.
#define FAIRLEAD_CONDITIONAL(name, held, symbol)                             \
  void Mutex::name(const Condition& condition) {                             \
    FAIRLEAD_REAL(void, (Mutex*, const Condition&), "_ZN", "5Mutex" symbol); \
    if (held) Released(this);                                                \
    {                                                                        \
      ConditionReads reads;                                                  \
      real(this, condition);                                                 \
    }                                                                        \
    Acquired(this);                                                          \
  }

#define FAIRLEAD_TIMED_CONDITIONAL(name, held, type, symbol)                       \
  bool Mutex::name(const Condition& condition, type limit) {                       \
    FAIRLEAD_REAL(bool, (Mutex*, const Condition&, type), "_ZN", "5Mutex" symbol); \
    if (held) Released(this);                                                      \
    bool holds = false;                                                            \
    {                                                                              \
      ConditionReads reads;                                                        \
      holds = real(this, condition, limit);                                        \
    }                                                                              \
    Acquired(this);                                                                \
    return holds;                                                                  \
  }

FAIRLEAD_CONDITIONAL(Await, true, "5AwaitERKNS0_9ConditionE")
FAIRLEAD_CONDITIONAL(LockWhen, false, "8LockWhenERKNS0_9ConditionE")
FAIRLEAD_CONDITIONAL(ReaderLockWhen, false, "14ReaderLockWhenERKNS0_9ConditionE")
FAIRLEAD_TIMED_CONDITIONAL(AwaitWithTimeout, true, absl::Duration,
                           "16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE")
FAIRLEAD_TIMED_CONDITIONAL(AwaitWithDeadline, true, absl::Time,
                           "17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE")
FAIRLEAD_TIMED_CONDITIONAL(LockWhenWithTimeout, false, absl::Duration,
                           "19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE")
FAIRLEAD_TIMED_CONDITIONAL(LockWhenWithDeadline, false, absl::Time,
                           "20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE")

void CondVar::Wait(Mutex* mutex) {
  FAIRLEAD_REAL(void, (CondVar*, Mutex*), "_ZN", "7CondVar4WaitEPNS0_5MutexE");
  Released(mutex);
  real(this, mutex);
  Acquired(mutex);
}

bool CondVar::WaitWithTimeout(Mutex* mutex, absl::Duration limit) {
  FAIRLEAD_REAL(bool, (CondVar*, Mutex*, absl::Duration), "_ZN",
                "7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE");
  Released(mutex);
  const bool timed_out = real(this, mutex, limit);
  Acquired(mutex);
  return timed_out;
}

bool CondVar::WaitWithDeadline(Mutex* mutex, absl::Time limit) {
  FAIRLEAD_REAL(bool, (CondVar*, Mutex*, absl::Time), "_ZN",
                "7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");
  Released(mutex);
  const bool timed_out = real(this, mutex, limit);
  Acquired(mutex);
  return timed_out;
}

void Notification::Notify() {
  FAIRLEAD_REAL(void, (Notification*), "_ZN", "12Notification6NotifyEv");
  Released(this);
  real(this);
}

void Notification::WaitForNotification() const {
  FAIRLEAD_REAL(void, (const Notification*), "_ZNK", "12Notification19WaitForNotificationEv");
  real(this);
  Acquired(this);
}

bool Notification::WaitForNotificationWithTimeout(absl::Duration limit) const {
  FAIRLEAD_REAL(bool, (const Notification*, absl::Duration), "_ZNK",
                "12Notification30WaitForNotificationWithTimeoutENS0_8DurationE");
  const bool notified = real(this, limit);
  if (notified) Acquired(this);
  return notified;
}

bool Notification::WaitForNotificationWithDeadline(absl::Time limit) const {
  FAIRLEAD_REAL(bool, (const Notification*, absl::Time), "_ZNK",
                "12Notification31WaitForNotificationWithDeadlineENS0_4TimeE");
  const bool notified = real(this, limit);
  if (notified) Acquired(this);
  return notified;
}

ABSL_NAMESPACE_END
}  // namespace absl
#endif  // FAIRLEAD_TSAN
