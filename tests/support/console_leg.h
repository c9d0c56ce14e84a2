// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The Console's end of a tunnel, as a stranger's WebSocket client would be: sends bytes, keeps what
// comes, sees how it ends. Knows the contract's frames as JSON, not our protos.
#ifndef FAIRLEAD_TESTS_SUPPORT_CONSOLE_LEG_H_
#define FAIRLEAD_TESTS_SUPPORT_CONSOLE_LEG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "dataplane/client.h"
#include "dataplane/websocket.h"
#include "nlohmann/json.hpp"
#include "tests/support/telnet_decoder.h"

namespace fairlead::tests {

// Thread: one.
class ConsoleLeg {
 public:
  enum class Acknowledge { kNever, kEvery64KiB };
  enum class Stream { kPty, kTelnet };

  // Dials `url` with `ticket` as the second offered subprotocol; ends the program if the upgrade
  // itself fails. With kTelnet, bytes are sent and seen as a Telnet client's terminal does, and
  // nothing is acknowledged.
  ConsoleLeg(const std::string& url, const std::string& ticket,
             std::shared_ptr<dataplane::TlsClientContext> tls,
             Acknowledge acknowledge = Acknowledge::kEvery64KiB, Stream stream = Stream::kPty);
  ~ConsoleLeg();

  // Sends terminal bytes, in messages of at most 64 KiB.
  absl::Status Send(absl::string_view bytes);
  // Sends bytes as they are, Telnet or not.
  absl::Status SendRaw(absl::string_view bytes);
  absl::Status SendControl(const nlohmann::json& control);

  // Reads until the output so far contains `text`; false if the tunnel ends before.
  bool ReadUntil(absl::string_view text);
  // Reads until the tunnel ends.
  void ReadToEnd();
  // Reads one message; false at the end.
  bool ReadOne();

  // Closes with `code` and waits for the end.
  void Close(std::uint16_t code = 1000);
  // Cuts the connection without a close frame.
  void Cut();

  const std::string& output() const { return output_; }
  // Forgets the output up to and with the first `text`.
  void DropOutputThrough(absl::string_view text);
  const std::vector<nlohmann::json>& controls() const { return controls_; }
  // The first control frame with `name`, or null.
  nlohmann::json Control(const std::string& name) const;
  // With kTelnet: what the device negotiated.
  const TelnetDecoder& telnet() const { return telnet_; }
  // Payload bytes of the tunnel, Telnet's own included.
  std::uint64_t received() const { return received_; }
  // Set once the tunnel has ended.
  const dataplane::CloseReason& close() const { return close_; }
  const std::string& subprotocol() const { return subprotocol_; }

 private:
  void AcknowledgeIfDue();

  const Acknowledge acknowledge_;
  const Stream stream_;
  TelnetDecoder telnet_;
  std::unique_ptr<dataplane::WebSocket> websocket_;
  std::string subprotocol_;
  std::string output_;
  std::uint64_t received_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::vector<nlohmann::json> controls_;
  bool ended_ = false;
  dataplane::CloseReason close_;
};

}  // namespace fairlead::tests

#endif  // FAIRLEAD_TESTS_SUPPORT_CONSOLE_LEG_H_
