// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a leg of the relay moves its bytes over: TLS on a socket, or memory in tests. Nothing
// blocks; who wants to go on waits to be told that it is possible.
#ifndef FAIRLEAD_DATAPLANE_LEG_TRANSPORT_H_
#define FAIRLEAD_DATAPLANE_LEG_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "dataplane/asio.h"
#include "dataplane/peer.h"

namespace fairlead::dataplane {

class TlsStream;

// Thread: the executor's. Lifetime: destroying it closes the connection.
class LegTransport {
 public:
  // What one Read may give at most, in bytes.
  static constexpr std::size_t kMaxReadBytes = 96 * 1024;

  class Handler {
   public:
    // What was watched for is there.
    virtual void OnReady(bool readable, bool writable) = 0;
    // The peer has ended the connection, or it is lost, while reading was not watched for any more:
    // what it had sent before can still be read. Told once.
    virtual void OnHangUp() = 0;

   protected:
    ~Handler() = default;
  };

  virtual ~LegTransport() = default;

  virtual net::any_io_executor executor() = 0;

  // Before all else.
  virtual void Start(Handler& handler) = 0;

  // Reads what is there into `room` of kMaxReadBytes. would_block: nothing; eof: the peer ended
  // the stream; connection_reset: it closed the connection without; anything else: it is lost.
  virtual std::size_t Read(std::span<std::uint8_t> room, error_code& error) = 0;
  // Whether Read gives something without the connection's becoming readable.
  virtual bool HoldsInput() const = 0;

  // Takes all of `bytes`. would_block: some of them wait for Flush; any other error is final for
  // writing. May be called again meanwhile.
  virtual void Write(std::span<const std::uint8_t> bytes, error_code& error) = 0;
  // Sends what waits, and tells how much that was.
  virtual std::size_t Flush(error_code& error) = 0;

  // Writes `last` and tells the peer that nothing follows. Later calls write nothing. Errors as for
  // Write.
  virtual void EndStream(std::span<const std::uint8_t> last, error_code& error) = 0;
  // When nothing waits any more: no more is sent on the connection either.
  virtual void ShutdownSend() noexcept = 0;
  // Drops what the peer still sends. would_block: it has not ended.
  virtual void Drain(error_code& error) = 0;

  // Has the kernel take in little that was not read yet.
  virtual void LimitReceiveQueue() = 0;

  // Whether the peer is alive, be it that it reads nothing.
  virtual bool PeerAnswers() = 0;

  // Tells the handler from now on, as long as it lasts, and of nothing else but a hang-up.
  virtual void Watch(bool readable, bool writable) = 0;

  // Closes the connection at once; the handler is told no more.
  virtual void Close() noexcept = 0;

  // Why a read failed; OK if there is no more to it than its error.
  virtual absl::Status failure() const { return absl::OkStatus(); }
};

// Takes `stream`, which has shaken hands and on which nothing is pending, out of Asio's hands.
std::unique_ptr<LegTransport> MakeTlsTransport(std::unique_ptr<TlsStream> stream);

}  // namespace fairlead::dataplane

#endif  // FAIRLEAD_DATAPLANE_LEG_TRANSPORT_H_
