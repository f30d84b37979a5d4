# What went wrong, and what to do next.
trouble-not-found-title = Bu bağlantı hiçbir yere gitmiyor
trouble-not-found = Bir kısmı eksik olabilir. Bağlantıyı bulduğunuz mesajdan ya da sayfadan yeniden açın ve tamamını kopyalayın. Hiçbir şey değişmedi.
trouble-closed-title = Bu kapandı
trouble-closed = Buradaki artık sunulmuyor. Önceki seçimleriniz geçerli. Değiştirmek için aldığınız herhangi bir mesajdaki bağlantıyı kullanın ya da STOP yanıtını verin.
trouble-too-many-title = Lütfen biraz bekleyin
trouble-too-many = Ağınızdan kısa sürede çok fazla istek geldi. Bir dakika bekleyip yeniden deneyin. Artık mesaj istemiyorsanız herhangi birine STOP yanıtını verin: bu her zaman işe yarar.
trouble-unavailable-title = Lütfen yeniden deneyin
trouble-unavailable = Şu anda hiçbir şey kaydedemedik, bu yüzden hiçbir şey değişmedi. Bir dakika bekleyip yeniden deneyin.
