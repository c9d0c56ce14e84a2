// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Reads one HTTP/1.1 request out of bytes, strictly: what two parsers might understand differently
// is refused. Sans-I/O, over Beast's parser. Used by the HTTP connection.
#ifndef FAIRLEAD_DATAPLANE_REQUEST_READER_H_
#define FAIRLEAD_DATAPLANE_REQUEST_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "dataplane/http.h"

namespace fairlead::dataplane {

// A refusal as the connection answers it.
struct HttpError {
  int status = 400;
  // A sentence for the client.
  std::string message;
};

// The reader of one request. Feed it until the head is done, decide by it, call StartBody, and feed
// it until the request is done.
// Thread: one.
class RequestReader {
 public:
  enum class State {
    kHead,      // more of the head is needed
    kHeadDone,  // StartBody must be called
    kBody,      // more of the body is needed
    kDone,      // the request is complete
    kFailed,    // error() tells; the connection's framing is lost
  };

  // Body bytes beyond the limit that are read and dropped, so that the connection can be kept.
  static constexpr std::uint64_t kMaxDroppedBytes = 16 * 1024 * 1024;

  explicit RequestReader(std::size_t max_head_bytes);
  ~RequestReader();

  // Consumes from the front of `bytes`, which begin where the last call stopped consuming, and
  // returns how many. What is left must be given again, with more behind it.
  std::size_t Feed(absl::string_view bytes);

  State state() const;
  // Whether any byte of the request was seen.
  bool started() const;
  const HttpError& error() const;

  // Valid from kHeadDone on.
  HttpRequest& request();
  // Whether the connection may be used for another request.
  bool keep_alive() const;
  // Whether the client waits for "100 Continue" before it sends the body.
  bool expects_continue() const;
  bool has_body() const;
  // Whether the request asks for an upgrade to WebSocket.
  bool is_websocket_upgrade() const;

  // Accepts a body of at most `max_bytes`. A larger one is dropped while it is read, up to a limit:
  // then body_too_large() is true in kDone. Beyond that limit (or at once if the client waits for
  // 100 Continue) the state is kFailed with 413.
  void StartBody(std::size_t max_bytes);
  bool body_too_large() const;

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
};

// The error that a WebSocket handshake deserves; status 0 if it is good (RFC 6455 section 4.2.1).
HttpError CheckWebSocketHandshake(const HttpRequest& request);

// The elements of a comma-separated header field, in all its occurrences.
std::vector<std::string> HeaderList(const HttpHeaders& headers, absl::string_view name);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_REQUEST_READER_H_
