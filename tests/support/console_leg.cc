// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See console_leg.h.
#include "tests/support/console_leg.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/blocking.h"

namespace fairlead::tests {

using dataplane::CloseReason;
using dataplane::FrameKind;
using dataplane::Message;
using dataplane::net::awaitable;

namespace {

awaitable<void> AbortOn(dataplane::WebSocket& websocket) {
  websocket.Abort();
  co_return;
}

// As our own Consoles do: whoever takes nothing for a while is waited for.
awaitable<absl::StatusOr<dataplane::WebSocketDialResult>> Dial(dataplane::Endpoint endpoint,
                                                               dataplane::DialOptions options,
                                                               std::vector<std::string> offered) {
  const dataplane::HttpHeaders headers;
  auto dialled = co_await dataplane::DialWebSocket(endpoint, options, offered, headers);
  if (dialled.ok()) {
    dialled->websocket->Tune(dataplane::kMaxMessageBytes, dataplane::PatientKeepAlive());
  }
  co_return dialled;
}

// Destroys the WebSocket on its own thread.
awaitable<void> Drop(std::unique_ptr<dataplane::WebSocket> websocket) {
  websocket->Abort();
  websocket.reset();
  co_return;
}

}  // namespace

ConsoleLeg::ConsoleLeg(const std::string& url, const std::string& ticket,
                       std::shared_ptr<dataplane::TlsClientContext> tls, Acknowledge acknowledge,
                       Stream stream)
    : acknowledge_(stream == Stream::kPty ? acknowledge : Acknowledge::kNever), stream_(stream) {
  const auto endpoint = dataplane::ParseUrl(url);
  if (!endpoint.ok()) {
    std::fprintf(stderr, "%s: %s\n", url.c_str(), endpoint.status().ToString().c_str());
    std::abort();
  }
  dataplane::DialOptions options;
  options.tls = std::move(tls);
  std::vector<std::string> offered = {"fairlead.terminal.v1",
                                      absl::StrCat("fairlead.ticket.", ticket)};
  auto dialled = Block(Dial(*endpoint, options, offered));
  if (!dialled.ok()) {
    std::fprintf(stderr, "dialling the tunnel: %s\n", dialled.status().ToString().c_str());
    std::abort();
  }
  websocket_ = std::move(dialled->websocket);
  subprotocol_ = dialled->subprotocol;
}

ConsoleLeg::~ConsoleLeg() { Block(Drop(std::move(websocket_))); }

absl::Status ConsoleLeg::Send(absl::string_view bytes) {
  if (stream_ == Stream::kPty) return SendRaw(bytes);
  return SendRaw(TelnetDecoder::Escape(bytes));
}

absl::Status ConsoleLeg::SendRaw(absl::string_view bytes) {
  while (!bytes.empty()) {
    const absl::string_view piece = bytes.substr(0, 64 * 1024);
    bytes.remove_prefix(piece.size());
    const absl::Status status = Block(websocket_->WriteBinary(piece));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ConsoleLeg::SendControl(const nlohmann::json& control) {
  const std::string text = control.dump();
  return Block(websocket_->WriteText(text));
}

void ConsoleLeg::AcknowledgeIfDue() {
  if (acknowledge_ == Acknowledge::kNever || received_ - acknowledged_ < 64 * 1024) return;
  acknowledged_ = received_;
  SendControl({{"ack", {{"receivedBytes", absl::StrCat(received_)}}}}).IgnoreError();
}

bool ConsoleLeg::ReadOne() {
  if (ended_) return false;
  Message message = Block(websocket_->ReadMessage());
  if (!message.open) {
    ended_ = true;
    close_ = message.close;
    return false;
  }
  if (message.kind == FrameKind::kBinary) {
    received_ += message.payload.size();
    if (stream_ == Stream::kPty) {
      output_ += message.payload;
      AcknowledgeIfDue();
      return true;
    }
    std::string answers;
    telnet_.Feed(message.payload, &output_, &answers);
    if (!answers.empty()) SendRaw(answers).IgnoreError();
    return true;
  }
  controls_.push_back(nlohmann::json::parse(message.payload, nullptr, false));
  if (acknowledge_ != Acknowledge::kNever && controls_.back().contains("end")) {
    SendControl({{"ack", {{"receivedBytes", absl::StrCat(received_)}}}}).IgnoreError();
  }
  return true;
}

bool ConsoleLeg::ReadUntil(absl::string_view text) {
  std::size_t searched = 0;
  while (true) {
    const std::size_t begin = searched < text.size() ? 0 : searched - text.size();
    if (absl::StrContains(absl::string_view(output_).substr(begin), text)) return true;
    searched = output_.size();
    if (!ReadOne()) return false;
  }
}

void ConsoleLeg::ReadToEnd() {
  while (ReadOne()) {
  }
}

void ConsoleLeg::DropOutputThrough(absl::string_view text) {
  const std::size_t at = output_.find(text.data(), 0, text.size());
  if (at != std::string::npos) output_.erase(0, at + text.size());
}

void ConsoleLeg::Close(std::uint16_t code) {
  CloseReason reason;
  reason.code = code;
  Block(websocket_->Close(reason));
  ReadToEnd();
}

void ConsoleLeg::Cut() { Block(AbortOn(*websocket_)); }

nlohmann::json ConsoleLeg::Control(const std::string& name) const {
  for (const nlohmann::json& control : controls_) {
    if (control.contains(name)) return control.at(name);
  }
  return nullptr;
}

}  // namespace fairlead::tests
