// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See saved_state.h.
#include "console/saved_state.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "console/secret_file.h"
#include "nlohmann/json.hpp"

namespace fairlead::console {
namespace {

absl::Status MakeFolder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot make the folder ", folder.string(), ": ", error.message()));
  }
  chmod(folder.c_str(), 0700);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> SavedStatePath() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return absl::StrCat(state, "/fairlead/console.json");
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') {
    return absl::StrCat(home, "/.local/state/fairlead/console.json");
  }
  return absl::FailedPreconditionError(
      "neither XDG_STATE_HOME nor HOME is set, so there is no place for the token; set one");
}

absl::StatusOr<SavedState> LoadState(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    return absl::NotFoundError("not logged in; run the login command first");
  }
  if ((info.st_mode & 077) != 0 || info.st_uid != geteuid()) {
    return absl::PermissionDeniedError(absl::StrCat(
        path, " can be read or changed by others, so its token is not used; run: chmod 600 ", path,
        " if you trust it, else delete it and log in again"));
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  const auto json = nlohmann::json::parse(text.str(), nullptr, false);
  if (!json.is_object() || !json.contains("server") || !json["server"].is_string()) {
    return absl::DataLossError(absl::StrCat(path, " is damaged; log in again"));
  }
  SavedState state;
  for (auto [name, field] : {std::pair<const char*, std::string*>{"server", &state.server},
                             {"ca", &state.ca_pem},
                             {"fingerprint", &state.fingerprint},
                             {"token", &state.token},
                             {"username", &state.username}}) {
    if (json.contains(name) && json[name].is_string()) *field = json[name];
  }
  return state;
}

absl::Status SaveState(const std::string& path, const SavedState& state) {
  if (const absl::Status made = MakeFolder(std::filesystem::path(path).parent_path()); !made.ok()) {
    return made;
  }
  const nlohmann::json json = {{"server", state.server},
                               {"ca", state.ca_pem},
                               {"fingerprint", state.fingerprint},
                               {"token", state.token},
                               {"username", state.username}};
  absl::StatusOr<SecretFile> file = SecretFile::Prepare(path, Overwrite::kYes);
  return file.ok() ? file->Commit(json.dump()) : file.status();
}

}  // namespace fairlead::console
