// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Buffers that terminals borrow while they have output in their hands, so that one at rest holds
// none. Used by TerminalSession; Terminals owns the pool.
#ifndef FAIRLEAD_DEVICE_BUFFER_POOL_H_
#define FAIRLEAD_DEVICE_BUFFER_POOL_H_

#include <cstddef>
#include <memory>
#include <utility>

namespace fairlead::device {

// As many buffers exist as are lent, and one for the next borrower.
//
// Thread: one. Lifetime: shared by its loans.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  // How large each of them is: with a frame's header in front, one TLS record. (A pseudo-terminal
  // holds some 12 KiB.)
  static constexpr std::size_t kBufferBytes = 16 * 1024 - 14;

  // One buffer, given back when the loan ends. What it holds at first is not defined.
  class Loan {
   public:
    explicit Loan(BufferPool& pool) : pool_(pool.shared_from_this()), buffer_(pool.Take()) {}
    ~Loan() { pool_->GiveBack(std::move(buffer_)); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;

    char* data() const { return buffer_.get(); }

   private:
    const std::shared_ptr<BufferPool> pool_;
    std::unique_ptr<char[]> buffer_;
  };

  static std::shared_ptr<BufferPool> Create() {
    return std::shared_ptr<BufferPool>(new BufferPool());
  }

  // How many are lent.
  std::size_t lent() const { return lent_; }

 private:
  BufferPool() = default;

  std::unique_ptr<char[]> Take() {
    ++lent_;
    if (kept_ != nullptr) return std::move(kept_);
    // Not make_unique, which would write to all of it.
    return std::unique_ptr<char[]>(new char[kBufferBytes]);
  }

  void GiveBack(std::unique_ptr<char[]> buffer) {
    --lent_;
    kept_ = std::move(buffer);
  }

  std::unique_ptr<char[]> kept_;
  std::size_t lent_ = 0;
};

}  // namespace fairlead::device

#endif  // FAIRLEAD_DEVICE_BUFFER_POOL_H_
