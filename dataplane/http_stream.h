// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The I/O of an HTTP connection: reads with deadlines, and writes a response. Used by the HTTP
// connection and, for refusals, by pending upgrades.
#ifndef FAIRLEAD_DATAPLANE_HTTP_STREAM_H_
#define FAIRLEAD_DATAPLANE_HTTP_STREAM_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "dataplane/asio.h"
#include "dataplane/deadline.h"
#include "dataplane/http.h"
#include "dataplane/tls_stream.h"

namespace fairlead::dataplane {

// Cancels what is pending on `stream` once time is up. The stream stays usable.
// Lifetime: the stream must outlive the deadline, and must not move while it exists.
Deadline CancelAfter(TlsStream& stream, absl::Duration timeout);

// What was received and is not used up.
class HttpInput {
 public:
  absl::string_view bytes() const { return absl::string_view(data_).substr(begin_); }
  void Consume(std::size_t count) { begin_ += count; }

  // Reads some more. False: the connection ended, failed, or `deadline` passed.
  net::awaitable<bool> ReadMore(TlsStream& stream, const Deadline& deadline);

  // Frees the memory when nothing is held.
  void Shrink();

 private:
  std::string data_;
  std::size_t begin_ = 0;
};

enum class AfterResponse { kKeepAlive, kClose };
enum class ResponseBody { kSent, kLeftOut };

// The response as it goes over the wire, without the body.
std::string ResponseHead(const HttpResponse& response, AfterResponse after);

// Writes all of `response`; no pause may last longer than `timeout`. False: the connection failed.
net::awaitable<bool> WriteResponse(TlsStream& stream, const HttpResponse& response,
                                   AfterResponse after, ResponseBody body, absl::Duration timeout);

// Writes all of `bytes`, likewise.
net::awaitable<bool> WriteAll(TlsStream& stream, absl::string_view bytes, absl::Duration timeout);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_HTTP_STREAM_H_
