// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// A write to a stream whose failure is not told to whoever writes, but remembered. Used under
// Beast's WebSocket, which would otherwise refuse to read on.
#ifndef FAIRLEAD_DATAPLANE_FORGIVING_WRITE_H_
#define FAIRLEAD_DATAPLANE_FORGIVING_WRITE_H_

#include <boost/asio/post.hpp>
#include <cstddef>
#include <memory>
#include <utility>

#include "dataplane/asio.h"

namespace fairlead::dataplane::internal {

// The operation, for net::async_compose: completes as if all were written once a write of `next`
// has failed, and sets `failed`. Only what this side cancelled is told.
template <class Next, class Buffers>
struct ForgivingWrite {
  template <class Self>
  void operator()(Self& self, error_code error = {}, std::size_t size = 0) {
    switch (std::exchange(stage, Stage::kEnding)) {
      case Stage::kStarting: {
        if (*failed) return net::post(std::move(self));
        stage = Stage::kWriting;
        // Both may move with `self`.
        Next& stream = *next;
        const Buffers data = buffers;
        return stream.async_write_some(data, std::move(self));
      }
      case Stage::kWriting:
        if (!error || error == net::error::operation_aborted) return self.complete(error, size);
        *failed = true;
        [[fallthrough]];
      case Stage::kEnding:
        return self.complete({}, net::buffer_size(buffers));
    }
  }

  enum class Stage { kStarting, kWriting, kEnding };

  Next* next;
  std::shared_ptr<bool> failed;
  Buffers buffers;
  Stage stage = Stage::kStarting;
};

}  // namespace fairlead::dataplane::internal

#endif  // FAIRLEAD_DATAPLANE_FORGIVING_WRITE_H_
